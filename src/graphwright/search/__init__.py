"""Tree search: whole trees as tensors, many games side by side."""
