"""An installed app with tasks."""
