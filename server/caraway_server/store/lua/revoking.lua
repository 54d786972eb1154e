-- How one task is revoked; for scripts that revoke.
local RANK = {p = 1, c = 2, t = 3}

-- Asks for the cancellation of a delivery. `how`: mode, reason, grace, signal.
local function ask_to_stop(task, how)
  if task.cancel and RANK[how.mode] <= RANK[task.cancel] then return 'cancel_requested' end
  redis.call('HSET', task_key(task.id), 'C', how.mode, 'Cr', how.reason, 'Cg', int(how.grace), 'Cs', how.signal,
    'r', task.revision)
  changed(task.id, task.watchers, task.state, task.revision)
  -- What runs and is to be left running needs no telling; a delivery that may not have started does.
  if task.gateway and (how.mode ~= 'p' or task.state == LEASED) then
    local worker = redis.call('HGET', task_key(task.id), 'w')
    note(task.gateway, 'cancel', task.id, task.fence, how.mode, how.reason, how.grace, how.signal, worker)
  end
  return 'cancel_requested'
end

-- BLOCKED, SCHEDULED, QUEUED, RETRYING -> REVOKED; of LEASED and RUNNING ones the cancellation is asked for. Answers a word.
local function revoke(task, how)
  if is_waiting(task) then
    stop_waiting(task)
    finish(task, REVOKED, {'C', how.mode, 'Cr', how.reason})
    return 'revoked'
  end
  if task.state == LEASED or task.state == RUNNING then return ask_to_stop(task, how) end
  return 'already_terminal'
end
