"""Tasks: an environment, a reward and how to write down what was sampled, a file each."""
