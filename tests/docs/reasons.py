"""What docs/celery-names.md says of names of Celery's modules and classes that are not simply the same here."""

Why = tuple[str, str]
"""Status, and what stands for it."""

_SCHEDULES = ("later", "schedules are not there yet: let cron or a systemd timer run `caraway call`")
_EVENTS = ("unneeded", "the gateway knows what happens: `caraway watch`, WatchTasks, metrics")
_HELPERS = ("unneeded", "a helper of Celery's own code; Python or a library has it")
_INSIDE = ("unneeded", "a part of Celery's own code")
_TIMES = ("unneeded", "`datetime` and `zoneinfo` have it; an instant carries its zone")
_MOVES = ("unneeded", "tasks are moved by `caraway retry`, and lie in one store")
_VERSIONS = ("unneeded", "`importlib.metadata.version('caraway')`, `caraway version`")
_PARTS = ("better", "middleware, signals and own commands: docs/extending.md; the worker's parts are not exchanged")
_LOG = ("unneeded", "`logging`; formats and colours are settings, the signals for the log are there")
_EVENTLET = ("unneeded", "eventlet is not supported; its programs run in the pool gevent: docs/worker.md")
_BROKER = ("unneeded", "there is no broker: programs speak to the gateway, `app.gateway`, by one channel")
_BACKEND = ("unneeded", "the gateway keeps all results; no program reads its store")
_MODULES = ("unneeded", "modules are named by `include=` and `autodiscover_tasks()`")
_COMMANDS = ("unneeded", "own commands are click's, by entry point: docs/extending.md")
_SIGNED = ("later", "messages are not signed; tokens and certificates decide who may submit: docs/security.md")
_WORKER = ("unneeded", "a worker is the command `caraway worker`, or `app.worker_main(['worker', ...])`")
_CONTROLLED = ("later", "start a worker with other options, then end the old one by SIGTERM: nothing is lost")

MODULES: dict[str, Why] = {
    "celery.app.amqp": _BROKER,
    "celery.app.annotations": ("unneeded", "`task_annotations` takes dicts and objects with `annotate`"),
    "celery.app.autoretry": ("unneeded", "`@app.task(autoretry_for=)` does it"),
    "celery.app.backends": _BACKEND,
    "celery.app.builtins": _INSIDE,
    "celery.app.control": _HELPERS,
    "celery.app.defaults": ("better", "`caraway.conf.OPTIONS`, the table of settings"),
    "celery.app.events": _EVENTS,
    "celery.app.log": _LOG,
    "celery.app.routes": ("unneeded", "`task_routes` takes dicts, lists and functions: docs/routing.md"),
    "celery.app.trace": _INSIDE,
    "celery.apps.beat": _SCHEDULES,
    "celery.apps.multi": ("unneeded", "systemd's instances: `deploy/systemd/caraway-worker@.service`"),
    "celery.apps.worker": _WORKER,
    "celery.beat": _SCHEDULES,
    "celery.bin.base": _COMMANDS,
    "celery.bin.celery": ("better", "`app.start(argv)`"),
    "celery.bootsteps": _PARTS,
    "celery.contrib.migrate": _MOVES,
    "celery.contrib.sphinx": ("later", "name the function: `.. autofunction:: proj.tasks.add.run`"),
    "celery.contrib.testing.app": ("unneeded", "`TestApp` has settings for tests; its log is the tests' own"),
    "celery.contrib.testing.mocks": ("unneeded", "there are no messages to imitate; `unittest.mock` has the rest"),
    "celery.contrib.testing.worker": ("unneeded", "`start_worker` does it, and takes `loglevel=`"),
    **dict.fromkeys(
        (
            "celery.events",
            "celery.events.cursesmon",
            "celery.events.dispatcher",
            "celery.events.dumper",
            "celery.events.event",
            "celery.events.receiver",
            "celery.events.snapshot",
            "celery.events.state",
        ),
        _EVENTS,
    ),
    **dict.fromkeys(
        ("celery.loaders", "celery.loaders.app", "celery.loaders.base", "celery.loaders.default"), _MODULES
    ),
    "celery.local": _HELPERS,
    "celery.schedules": _SCHEDULES,
    "celery.security": _SIGNED,
    "celery.utils": _HELPERS,
    "celery.utils.debug": (
        "unneeded",
        "a library such as psutil or memray has it; a worker's memory is in its metrics",
    ),
    "celery.utils.functional": _HELPERS,
    "celery.utils.log": _LOG,
    "celery.utils.time": _TIMES,
    "celery.worker": _WORKER,
    "celery.worker.request": ("better", "middleware around attempts, and a task's own hooks: docs/extending.md"),
    "celery.worker.state": ("better", "`app.control.inspect()`"),
    "celery.worker.strategy": _PARTS,
    "celery.worker.worker": _WORKER,
    **dict.fromkeys(
        (
            "celery.worker.autoscale",
            "celery.worker.components",
            "celery.worker.consumer",
            "celery.worker.consumer.agent",
            "celery.worker.consumer.connection",
            "celery.worker.consumer.consumer",
            "celery.worker.consumer.control",
            "celery.worker.consumer.events",
            "celery.worker.consumer.gossip",
            "celery.worker.consumer.heart",
            "celery.worker.consumer.mingle",
            "celery.worker.consumer.tasks",
            "celery.worker.heartbeat",
            "celery.worker.loops",
            "celery.worker.pidbox",
        ),
        _PARTS,
    ),
}
"""What is said of all names of a module that are not the same."""

NAMED: dict[str, Why] = {
    **dict.fromkeys(("SERIES", "VERSION", "VERSION_BANNER", "version_info", "version_info_t"), _VERSIONS),
    **dict.fromkeys(("beat_init", "beat_embedded_init"), _SCHEDULES),
    **dict.fromkeys(
        ("eventlet_pool_apply", "eventlet_pool_postshutdown", "eventlet_pool_preshutdown", "eventlet_pool_started"),
        _EVENTLET,
    ),
    **dict.fromkeys(
        ("READY_STATES", "UNREADY_STATES", "EXCEPTION_STATES", "PROPAGATE_STATES"),
        ("same", "a task that was rejected or ignored has ended here: REJECTED is in all but `UNREADY_STATES`"),
    ),
    "BackendError": ("same", "what it is said of here, an OperationalError, is one"),
    **dict.fromkeys(("BackendGetMetaError", "BackendStoreError"), ("same", "never raised: an OperationalError is")),
    "ChordError": ("same", "also an error of the class that the header's task raised"),
    "SecurityError": ("same", "what the gateway says against who calls, an Unauthenticated, is one"),
    "Terminated": ("same", "never raised: the task is revoked, or lost"),
    **dict.fromkeys(
        (
            "CDeprecationWarning",
            "CPendingDeprecationWarning",
            "CeleryWarning",
            "AlwaysEagerIgnored",
            "DuplicateNodenameWarning",
            "DuplicateTaskNameWarning",
            "FixupWarning",
            "NotConfigured",
            "SecurityWarning",
        ),
        ("same", "never given: warnings are UserWarning; what two functions claim is an error, AlreadyRegistered"),
    ),
    **dict.fromkeys(
        ("WorkerShutdown", "WorkerTerminate"),
        ("same", "never raised; `app.control.shutdown()` ends a worker"),
    ),
    **dict.fromkeys(("enable_trace", "disable_trace", "push_current_task", "pop_current_task", "appstr"), _HELPERS),
    "AppPickler": ("unneeded", "apps are not pickled: a worker's children import them"),
    "CELERY_RDB_HOST": ("better", "the variable `CARAWAY_RDB_HOST`, which names loopback addresses only"),
    "CELERY_RDB_PORT": ("better", "the variable `CARAWAY_RDB_PORT`"),
    "CeleryCommandException": ("unneeded", "click's own exceptions end a command"),
    "Panel": ("better", "`control_command` and `inspect_command` of `caraway.worker.control`"),
    "Settings": ("better", "`caraway.conf.Configuration`, which `app.conf` is"),
    "bugreport": ("better", "`app.bugreport()`, `caraway report`"),
    "default_app": ("better", "`caraway.current_app`"),
    "execute": ("unneeded", "a task is called by `delay`, or by its name with `app.send_task`"),
    "filter_hidden_settings": ("better", "`app.conf.table()` leaves secrets out"),
    "find_app": ("better", "`caraway.loader.find_app`"),
    "log": _LOG,
    "maybe_patch_concurrency": ("unneeded", "the worker's pool gevent patches before your code is imported"),
    "messaging": ("unneeded", "there are no messages of a broker to be written"),
    "registry": ("better", "`app.tasks`"),
    "sanitize_url": _HELPERS,
    "worker_before_create_process": ("unneeded", "no process of a worker forks another one"),
}
"""What is said of a name, in whichever module, or of one by its full name; also beside one that is the same."""

MEMBERS: dict[str, Why] = {
    **dict.fromkeys(("IS_WINDOWS", "IS_macOS", "SYSTEM"), ("unneeded", "`platform` and `sys` have it")),
    **dict.fromkeys(("Beat", "add_periodic_task"), _SCHEDULES),
    **dict.fromkeys(("Worker", "WorkController"), _WORKER),
    **dict.fromkeys(
        (
            "amqp",
            "broker_connection",
            "connection",
            "connection_for_read",
            "connection_for_write",
            "connection_or_acquire",
            "default_connection",
            "default_producer",
            "pool",
            "producer_or_acquire",
            "producer_pool",
        ),
        _BROKER,
    ),
    **dict.fromkeys(("backend", "backend_cls", "supports_native_join"), _BACKEND),
    **dict.fromkeys(("events", "send_event", "send_events", "enable_events", "disable_events"), _EVENTS),
    **dict.fromkeys(("loader", "loader_cls"), _MODULES),
    **dict.fromkeys(
        ("amqp_cls", "control_cls", "events_cls", "log_cls", "registry_cls", "fixups", "builtin_fixups"),
        ("unneeded", "an app's parts are not exchanged: middleware and hooks, docs/extending.md"),
    ),
    **dict.fromkeys(
        ("create_task_cls", "either", "prepare_config", "select_queues", "subclass_with_self", "thread_oid"), _INSIDE
    ),
    **dict.fromkeys(("use_fast_trace_task", "type_checker", "strict_typing", "Pickler"), _INSIDE),
    **dict.fromkeys(
        ("set_as_current", "task_cls"), ("better", "the constructor takes it; `app.Task`, `app.set_current()`")
    ),
    "annotations": ("better", "`app.conf.task_annotations`"),
    "clock": ("unneeded", "the store's clock decides"),
    "configured": ("unneeded", "an app is configured when a setting is first needed"),
    "log": _LOG,
    "on_after_fork": ("better", "the signal `worker_process_init`; channels survive forks by themselves"),
    "setup_security": _SIGNED,
    "steps": _PARTS,
    **dict.fromkeys(("add_around", "annotate", "bind", "start_strategy"), _INSIDE),
    "add_trail": ("unneeded", "what a task submits is listed by the gateway: `AsyncResult.children`"),
    **dict.fromkeys(
        ("signature_from_request", "subtask_from_request", "as_execution_options"),
        ("unneeded", "`self.retry()` keeps all that the task was sent with"),
    ),
    **dict.fromkeys(
        ("Context.callbacks", "Context.errbacks", "Context.chain", "Context.chord"),
        ("same", "always None: the gateway knows what comes after"),
    ),
    **dict.fromkeys(
        ("Context.logfile", "Context.loglevel", "Context.origin", "Context.reply_to"), ("same", "always None")
    ),
    **dict.fromkeys(("Context.eta", "Context.expires"), ("same", "a datetime with its zone, not text")),
    "children": ("better", "`app.AsyncResult(self.request.id).children`"),
    **dict.fromkeys(("clear", "update"), ("unneeded", "a request is not written to; `Task.push_request` makes one")),
    **dict.fromkeys(("group_index", "replaced_task_nesting"), ("unneeded", "the gateway knows the graph")),
    "on_ready": ("better", "`then(callback)`"),
    **dict.fromkeys(("TYPES", "register_type"), ("better", "a subclass of Signature is known by its `kind`")),
    **dict.fromkeys(("parent_id", "root_id"), ("unneeded", "a result has them; a signature is not sent yet")),
    "election": ("unneeded", "workers do not talk to each other"),
    "stamp_links": ("unneeded", "`stamp` reaches what is linked"),
    **dict.fromkeys(("prepare_steps", "unchain_tasks", "apply_chunks"), _INSIDE),
    "run": ("unneeded", "`apply_async`, or `apply` here and now"),
    "Mailbox": _BROKER,
    "heartbeat": ("unneeded", "a worker's lease stream is its heartbeat"),
    **dict.fromkeys(("autoscale", "pool_grow", "pool_shrink", "pool_restart"), _CONTROLLED),
    **dict.fromkeys(
        ("add_consumer", "cancel_consumer"), ("later", "`caraway queues pause` stops a queue for all workers")
    ),
    "time_limit": ("later", "`@app.task(time_limit=)`, and `apply_async(time_limit=)` for one call"),
    "Control.rate_limit": ("later", "rates are not limited yet; a queue of its own with few workers limits"),
    "hello": ("unneeded", "workers do not talk to each other; `stats()` and `conf()` tell of each"),
    **dict.fromkeys(
        ("memdump", "memsample", "objgraph"),
        (
            "unneeded",
            "`stats()` has the memory in use (`rusage`), and so have the metrics; memray looks into a process",
        ),
    ),
}
"""The same of members of classes, by name or by class and name; by both also beside one that is the same.

What is an option of tasks is told as in docs/migrating.md.
"""
