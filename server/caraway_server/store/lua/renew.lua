-- Extends leases. No state changes.
-- request: lease (how long), worker (whose heartbeat it is; '' for none), items {{id, fence}, ...}.
-- Returns {lost, cancels}: lost, the indexes (from 1) of items that are no longer held;
--          cancels {{index, mode, reason, grace, signal}, ...} of those whose cancellation is asked for.
local lease_until = int(now + request.lease)
local lost, cancels, renewed = {}, {}, {}
for index, item in ipairs(request.items) do
  local id, fence = item[1], item[2]
  local key = task_key(id)
  local v = redis.call('HMGET', key, 's', 'e', 'g', 'C')
  local state = tonumber(v[1] or 0)
  if (state == LEASED or state == RUNNING) and v[2] == fence then
    renewed[#renewed + 1] = lease_until
    renewed[#renewed + 1] = id
    if v[3] ~= me then redis.call('HSET', key, 'g', me) end -- its stream has moved here: cancels must too
    if v[4] and (v[4] ~= 'p' or state == LEASED) then -- as revoke.lua: what runs may run on
      local how = redis.call('HMGET', key, 'Cr', 'Cg', 'Cs')
      cancels[#cancels + 1] = {index, v[4], how[1] or '', tonumber(how[2] or 0), how[3] or ''}
    end
  else
    lost[#lost + 1] = index
  end
end
in_parts('ZADD', LEASES, renewed)
if request.worker ~= '' and redis.call('EXISTS', worker_key(request.worker)) == 1 then
  redis.call('HSET', worker_key(request.worker), 'seen', now_text, 'held', #request.items)
  redis.call('ZADD', WORKERS, now_text, request.worker)
end
return reply({lost, cancels})
