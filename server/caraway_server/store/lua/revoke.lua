-- Revokes tasks. BLOCKED, SCHEDULED, QUEUED, RETRYING -> REVOKED; of LEASED and RUNNING ones the cancellation is asked for;
-- for a REPLACED one this is done to the task whose outcome it takes.
-- request: ids, mode ("p" pending only, "c" cancel, "t" terminate), reason, grace, signal, result_ttl.
-- Returns a word an id: revoked, cancel_requested, already_terminal, not_found.
local function load_last(id)
  local task = load(id)
  while task and task.state == REPLACED do -- replacements are nested in one another no deeper than the contract allows
    local replacing = load(task.replaced_by)
    if not replacing then return task end -- about to be made
    task = replacing
  end
  return task
end

local answers = {}
for index, id in ipairs(request.ids) do
  local task = load_last(id)
  if not task or task.state == TOMBSTONE then
    answers[index] = 'not_found'
  elseif task.state == REPLACED then
    answers[index] = ask_to_stop(task, request)
  else
    answers[index] = revoke(task, request)
  end
end
return reply(answers)
