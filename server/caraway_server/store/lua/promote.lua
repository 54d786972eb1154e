-- Makes due tasks ready. SCHEDULED, RETRYING -> QUEUED, or EXPIRED.
-- request: limit, hold, result_ttl.
-- Returns {count, now, next due or 0}.
local due = redis.call('ZRANGE', DUE, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, request.limit)
local done = {}
for index, id in ipairs(due) do
  done[index] = id
  local task = load(id)
  local waits = task and (task.state == SCHEDULED or task.state == RETRYING) -- else a stray entry, which is dropped
  if waits and task.expires and task.expires <= now then
    count_waiting(task.queue, -1)
    finish(task, EXPIRED)
  elseif waits then
    make_ready(task)
  end
  if has_held_long() then break end
end
in_parts('ZREM', DUE, done)
local head = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')
return reply({#done, now, tonumber(head[2] or 0)})
