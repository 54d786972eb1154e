-- Deliveries handed back unfinished, or ended by a dead process. LEASED, RUNNING -> QUEUED, REVOKED, EXPIRED, or FAILED
-- (quarantined: lost once too often).
-- request: kind ("released" or "lost"), result_ttl, max_lost, items {{id, fence, ran for, quarantine error}, ...}.
-- Returns as each_held().
local lost = request.kind == 'lost'
return reply(each_held(request.kind, function(task, item, mark)
  local error = item[4]
  end_delivery(task)
  local fields = {'y', mark, 'S', ''}
  if lost then return lose(task, error, fields) end
  return give_back(task, fields)
end))
