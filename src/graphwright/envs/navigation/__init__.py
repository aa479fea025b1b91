"""Problems of an agent that moves along edges: decentralised path search, a robot among moving obstacles."""
