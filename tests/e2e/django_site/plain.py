"""An installed app that is a module, and has no tasks."""
