-- Deletes workflows that were kept long enough, with their nodes. Terminal -> tombstone, tombstone -> gone.
-- request: limit (nodes), hold, window.
-- Returns {count, now, next purge or 0}.
local left = request.limit

-- Buries nodes from the first of this pass on; how many, and whether there are no more.
local function bury_nodes(id, first)
  local ids, count = redis.call('LRANGE', nodes_key(id), first, first + left - 1), 0
  local is_last = #ids < left
  for _, node_id in ipairs(ids) do
    local v = redis.call('HMGET', task_key(node_id), 's', 'F', 'f')
    if v[2] == id then bury(node_id, v[3], tonumber(v[1]), request.window) end
    redis.call('UNLINK', next_key(node_id), members_key(node_id))
    count = count + 1
    if has_held_long() then break end
  end
  left = left - count
  return count, is_last and count == #ids
end

local over = redis.call('ZRANGE', ENDED_WORKFLOWS, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, 50)
for _, id in ipairs(over) do
  local key = workflow_key(id)
  local v = redis.call('HMGET', key, 's', 'f', 'k')
  if tonumber(v[1]) == TOMBSTONE then
    redis.call('DEL', key)
    redis.call('ZREM', ENDED_WORKFLOWS, id)
    left = left - 1
  elseif left > 0 then
    local first = tonumber(v[3] or 0)
    local count, is_all = bury_nodes(id, first)
    if is_all then
      redis.call('UNLINK', nodes_key(id), open_key(id), outbox_key(id), key)
      redis.call('HSET', key, 's', TOMBSTONE, 'f', v[2], 'u', int(now + request.window))
      redis.call('ZADD', ENDED_WORKFLOWS, int(now + request.window), id)
      redis.call('ZREM', WORKFLOWS, id)
      left = left - 1
    else
      redis.call('HSET', key, 'k', first + count)
    end
  end
  if has_held_long() then break end
end
local head = tonumber(redis.call('ZRANGE', ENDED_WORKFLOWS, 0, 0, 'WITHSCORES')[2] or 0)
return reply({request.limit - left, now, head})
