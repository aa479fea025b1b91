"""Control of queueing networks: tasks that never end."""
