"""Where the rooms are wired together: definitions, resources, sensors, alerts and the command line."""
