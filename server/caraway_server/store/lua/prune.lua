-- Deletes what was kept long enough, but for nodes of workflows. Terminal -> tombstone, tombstone -> gone.
-- request: limit, hold, window.
-- Returns {count, now, next purge or 0}.
local LOOK_AGAIN = 60000000

-- A node is kept as long as its workflow, which buries it with itself: until when, or nil for all other tasks.
local function kept_until(workflow)
  if not workflow then return nil end
  local v = redis.call('HMGET', workflow_key(workflow), 's', 'u')
  if not v[1] or tonumber(v[1]) == TOMBSTONE then return nil end
  return math.max(tonumber(v[2] or 0), now) + LOOK_AGAIN
end

-- What stands in the index of an end, and is over.
local function prune(state, id)
  local v = redis.call('HMGET', task_key(id), 's', 'F', 'f')
  local known = tonumber(v[1] or 0)
  local later = known == state and state ~= TOMBSTONE and kept_until(v[2])
  if later then
    redis.call('HSET', task_key(id), 'u', int(later))
    purge_at(state, id, int(later))
  elseif known == state and state ~= TOMBSTONE then
    bury(id, v[3], state, request.window)
  else -- a tombstone, or a stray entry, which is dropped
    if known == state then redis.call('DEL', task_key(id)) end
    local ids = list_in(unlisted, state)
    ids[#ids + 1] = id
  end
end

local ENDS = {SUCCEEDED, FAILED, REVOKED, EXPIRED, REJECTED, IGNORED, SKIPPED, TOMBSTONE}
local count, following, is_over = 0, 0, false
for _, state in ipairs(ENDS) do
  local over = {}
  if count < request.limit and not is_over then
    over = redis.call('ZRANGE', ended_key(state), '-inf', now_text, 'BYSCORE', 'LIMIT', 0, request.limit - count)
  end
  for _, id in ipairs(over) do
    prune(state, id)
    count = count + 1
    is_over = has_held_long()
    if is_over then break end
  end
end
store_indexes()
for _, state in ipairs(ENDS) do
  local head = tonumber(redis.call('ZRANGE', ended_key(state), 0, 0, 'WITHSCORES')[2] or 0)
  if head > 0 and (following == 0 or head < following) then following = head end
end
return reply({count, now, following})
