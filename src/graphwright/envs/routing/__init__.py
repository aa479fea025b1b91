"""Problems of routes through points."""
