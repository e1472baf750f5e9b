"""What must hold before anything is published: suites, their runner, and audits."""
