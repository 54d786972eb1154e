-- Attempts that failed and are tried again. LEASED, RUNNING -> RETRYING, QUEUED (no wait), REVOKED or EXPIRED.
-- request: kind (of the reports), result_ttl, items {{id, fence, ran for, error, wait}, ...}.
-- Returns as each_held().
local kind = request.kind
return reply(each_held(kind, function(task, item)
  local run, error, wait = item[3], item[4], item[5]
  local key = task_key(task.id)
  end_delivery(task)
  local fields = {'y', kind, 'a', task.retries + 1, 'E', error, 'b', started_at(run), 'S', ''}
  if task.cancel then return finish(task, REVOKED, fields) end
  if task.expires and task.expires <= now then return finish(task, EXPIRED, fields) end
  redis.call('HSET', key, unpack(fields))
  if task.expires then set_time(EXPIRING, task.id, task.expires) end
  count_waiting(task.queue, 1)
  if wait <= 0 then return make_ready(task) end
  redis.call('HSET', key, 's', RETRYING, 'd', int(now + wait), 'r', task.revision)
  set_time(DUE, task.id, now + wait)
  changed(task.id, task.watchers, RETRYING, task.revision)
  return RETRYING
end))
