task_default_queue = "orders"
task_track_started = True
broker_transport_options = {"visibility_timeout": 3600}
own_setting = 1
