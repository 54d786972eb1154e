-- Makes due tasks ready. SCHEDULED, RETRYING -> QUEUED, or EXPIRED.
-- request: limit, result_ttl.
-- Returns {count, now, next due or 0}.
local due = redis.call('ZRANGE', DUE, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, request.limit)
in_parts('ZREM', DUE, due)
for _, id in ipairs(due) do
  local task = load(id)
  local waits = task and (task.state == SCHEDULED or task.state == RETRYING) -- else a stray entry, which is dropped
  if waits and task.expires and task.expires <= now then
    count_waiting(task.queue, -1)
    finish(task, EXPIRED)
  elseif waits then
    make_ready(task)
  end
end
local head = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')
return reply({#due, now, tonumber(head[2] or 0)})
