"""Where the rooms are wired together: definitions, resources, jobs, schedules and the command line."""
