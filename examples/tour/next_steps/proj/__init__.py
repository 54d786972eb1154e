"""A project: its app is in proj.app, its tasks in proj.tasks. The worker: caraway worker -A proj.app -I proj.tasks"""
