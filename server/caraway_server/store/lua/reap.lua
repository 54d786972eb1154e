-- Takes back leases that ran out. LEASED, RUNNING -> QUEUED, REVOKED, EXPIRED, or FAILED (quarantined).
-- After a gap in which no gateway reaped (all were down, the store was, or its clock jumped) workers could not renew: nothing
-- is taken back until they had one lease's time to do so, and no lease lasts longer than that.
-- request: limit, hold, gap (longest time between passes), lease, result_ttl, max_lost, error (for quarantined ones), lost_error (for what may run only once).
-- Returns {count, now, next expiry or 0, taken {{id, worker}, ...}}.
local SEEN, GRACE = root .. 'reaper:seen', root .. 'reaper:grace'
local seen = tonumber(redis.call('GET', SEEN) or 0)
local grace = tonumber(redis.call('GET', GRACE) or 0)
if seen > 0 and (now - seen > request.gap or now < seen) then
  grace = now + request.lease
  redis.call('SET', GRACE, int(grace))
end
redis.call('SET', SEEN, int(now))
if grace > now + request.lease then grace = now + request.lease end -- the clock was set back
if now < grace then
  -- Leases given before the clock was set back would end far too late, and those of dead workers never.
  local ends = {}
  local far = redis.call('ZRANGE', LEASES, '(' .. int(now + request.lease), '+inf', 'BYSCORE', 'LIMIT', 0, request.limit)
  for _, id in ipairs(far) do
    ends[#ends + 1] = int(now + request.lease)
    ends[#ends + 1] = id
  end
  in_parts('ZADD', LEASES, ends)
  return reply({#far, now, #far == request.limit and now or grace, {}})
end

local taken = {}
local over = redis.call('ZRANGE', LEASES, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, request.limit)
local count = 0
for _, id in ipairs(over) do
  count = count + 1
  local task = load(id)
  ended_leases[#ended_leases + 1] = id
  if task and (task.state == LEASED or task.state == RUNNING) then -- else a stray entry, which is dropped
    taken[#taken + 1] = {id, redis.call('HGET', task_key(id), 'w')}
    lose(task, request.error, {'S', '', 'y', 'lost'})
  end
  if has_held_long() then break end
end
store_indexes()
local head = redis.call('ZRANGE', LEASES, 0, 0, 'WITHSCORES')
return reply({count, now, tonumber(head[2] or 0), taken})
