-- Revokes tasks. SCHEDULED, QUEUED, RETRYING -> REVOKED; of LEASED and RUNNING ones the cancellation is asked for.
-- request: ids, mode ("p" pending only, "c" cancel, "t" terminate), reason, grace, signal, result_ttl.
-- Returns a word an id: revoked, cancel_requested, already_terminal, not_found.
local mode, reason, grace, signal = request.mode, request.reason, request.grace, request.signal
local RANK = {p = 1, c = 2, t = 3}

local function ask(task)
  if task.cancel and RANK[mode] <= RANK[task.cancel] then return 'cancel_requested' end
  redis.call('HSET', task_key(task.id), 'C', mode, 'Cr', reason, 'Cg', int(grace), 'Cs', signal, 'r', task.revision)
  changed(task.id, task.watchers, task.state, task.revision)
  -- What runs and is to be left running needs no telling; a delivery that may not have started does.
  if task.gateway and (mode ~= 'p' or task.state == LEASED) then
    local worker = redis.call('HGET', task_key(task.id), 'w')
    note(task.gateway, 'cancel', task.id, task.fence, mode, reason, grace, signal, worker)
  end
  return 'cancel_requested'
end

local answers = {}
for index, id in ipairs(request.ids) do
  local task = load(id)
  if not task or task.state == TOMBSTONE then
    answers[index] = 'not_found'
  elseif is_waiting(task) then
    stop_waiting(task)
    finish(task, REVOKED, {'C', mode, 'Cr', reason})
    answers[index] = 'revoked'
  elseif task.state == LEASED or task.state == RUNNING then
    answers[index] = ask(task)
  else
    answers[index] = 'already_terminal'
  end
end
return reply(answers)
