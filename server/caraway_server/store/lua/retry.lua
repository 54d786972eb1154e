-- Attempts that failed and are tried again. LEASED, RUNNING -> RETRYING, QUEUED (no wait), REVOKED or EXPIRED.
-- request: kind (of the reports), result_ttl, items {{id, fence, ran for, error, wait, spec, queue, priority,
--          expires at, expires in}, ...} (the last five: what is to be different from now on; '', '', -1, 0, 0 where nothing).
-- Returns as each_held().
local kind = request.kind

local function override(task, item)
  local spec, queue, priority, til, ttl = item[6], item[7], item[8], item[9], item[10]
  local fields = {}
  local function set(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  if spec ~= '' then set('t', spec) end
  if queue ~= '' then
    task.queue = queue
    set('q', queue)
  end
  if priority >= 0 then
    task.priority = priority
    set('p', priority)
  end
  if ttl > 0 then til = now + ttl end
  if til > 0 then
    task.expires = til
    set('x', int(til))
  end
  if #fields > 0 then redis.call('HSET', task_key(task.id), unpack(fields)) end
end

return reply(each_held(kind, function(task, item)
  local run, error, wait = item[3], item[4], item[5]
  local key = task_key(task.id)
  end_delivery(task)
  override(task, item)
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
