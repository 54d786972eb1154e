-- Deletes what was kept long enough, but for nodes of workflows. Terminal -> tombstone, tombstone -> gone.
-- request: limit, window.
-- Returns {count, now, next purge or 0}.
local LOOK_AGAIN = 60000000

-- A node is kept as long as its workflow, which buries it with itself: until when, or nil for all other tasks.
local function kept_until(id)
  local workflow = redis.call('HGET', task_key(id), 'F')
  if not workflow then return nil end
  local v = redis.call('HMGET', workflow_key(workflow), 's', 'u')
  if not v[1] or tonumber(v[1]) == TOMBSTONE then return nil end
  return math.max(tonumber(v[2] or 0), now) + LOOK_AGAIN
end

local count, following = 0, 0
for _, state in ipairs({SUCCEEDED, FAILED, REVOKED, EXPIRED, REJECTED, IGNORED, SKIPPED, TOMBSTONE}) do
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
      local later = kept_until(id)
      if later then
        redis.call('HSET', task_key(id), 'u', int(later))
        redis.call('ZADD', index, int(later), id)
      else
        bury(id, request.window)
      end
    end
  end
  count = count + #over
  local head = tonumber(redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2] or 0)
  if head > 0 and (following == 0 or head < following) then following = head end
end
return reply({count, now, following})
