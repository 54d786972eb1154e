-- Deliveries that end their tasks. LEASED, RUNNING -> SUCCEEDED, FAILED, REJECTED, IGNORED, REVOKED.
-- request: kind (of the reports), state (the new one), field (R result, E error), result_ttl,
--          items {{id, fence, ran for, blob or ''}, ...}.
-- Returns as each_held().
local state, field = request.state, request.field
return reply(each_held(request.kind, function(task, item, mark)
  local run, blob = item[3], item[4]
  end_delivery(task)
  local fields = {'y', mark, 'a', task.retries + 1}
  if run > 0 then
    fields[5], fields[6] = 'b', started_at(run)
  end
  if blob ~= '' then
    fields[#fields + 1] = field
    fields[#fields + 1] = blob
  end
  return finish(task, state, fields)
end))
