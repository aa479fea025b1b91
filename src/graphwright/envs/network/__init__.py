"""Problems of networks."""
