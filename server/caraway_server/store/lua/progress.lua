-- A running task tells how far it is. LEASED, RUNNING -> RUNNING.
-- request: items {{id, fence, ran for, custom state, detail}, ...}.
-- Returns as each_held().
return reply(each_held('progress', function(task, item)
  local run, custom_state, detail = item[3], item[4], item[5]
  local key = task_key(task.id)
  redis.call('HSET', key, 's', RUNNING, 'S', custom_state, 'P', detail, 'r', task.revision)
  if not task.started then redis.call('HSET', key, 'b', started_at(run)) end
  if task.expires then redis.call('ZREM', EXPIRING, task.id) end
  changed(task.id, task.watchers, RUNNING, task.revision)
  return RUNNING
end))
