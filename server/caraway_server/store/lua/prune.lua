-- Deletes what was kept long enough. Terminal -> tombstone, tombstone -> gone.
-- request: limit, window.
-- Returns {count, now, next purge or 0}.
local count, following = 0, 0
for _, state in ipairs({SUCCEEDED, FAILED, REVOKED, EXPIRED, REJECTED, IGNORED, TOMBSTONE}) do
  local index = ended_key(state)
  local over = {}
  if count < request.limit then
    over = redis.call('ZRANGE', index, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, request.limit - count)
  end
  for _, id in ipairs(over) do
    if tonumber(redis.call('HGET', task_key(id), 's') or 0) ~= state then
      redis.call('ZREM', index, id) -- a stray entry is dropped
    elseif state == TOMBSTONE then
      redis.call('DEL', task_key(id))
      redis.call('ZREM', index, id)
    else
      bury(id, request.window)
    end
  end
  count = count + #over
  local head = tonumber(redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2] or 0)
  if head > 0 and (following == 0 or head < following) then following = head end
end
return reply({count, now, following})
