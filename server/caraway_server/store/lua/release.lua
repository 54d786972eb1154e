-- Deliveries handed back unfinished, or ended by a dead process. LEASED, RUNNING -> QUEUED, REVOKED, EXPIRED, or FAILED
-- (quarantined: lost once too often).
-- request: kind ("released" or "lost"), result_ttl, max_lost, lost_error (for what may run only once), items {{id, fence, ran for, quarantine error}, ...}.
-- Returns as each_held().
local kind = request.kind
local lost = kind == 'lost'
return reply(each_held(kind, function(task, item)
  local error = item[4]
  end_delivery(task)
  local fields = {'y', kind, 'S', ''}
  if lost then return lose(task, error, fields) end
  return end_for_good(task, fields) or give_back(task, fields)
end))
