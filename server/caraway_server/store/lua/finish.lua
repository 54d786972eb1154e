-- Deliveries that end their tasks. LEASED, RUNNING -> SUCCEEDED, FAILED, REJECTED, IGNORED, REVOKED.
-- request: kind (of the reports), state (the new one), field (R result, E error), result_ttl,
--          items {{id, fence, ran for, blob or ''}, ...}.
-- Returns as each_held().
local kind, state, field = request.kind, request.state, request.field
return reply(each_held(kind, function(task, item)
  local run, blob = item[3], item[4]
  end_delivery(task)
  local fields = {'y', kind}
  if run > 0 then
    fields[3], fields[4] = 'b', started_at(run)
  end
  if blob ~= '' and not (field == 'R' and task.ignores_result) then
    fields[#fields + 1] = field
    fields[#fields + 1] = blob
  end
  return finish(task, state, fields)
end, load_delivery))
