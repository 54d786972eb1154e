-- Sends ended tasks back, each as it was submitted, its counts anew and without its expiry. FAILED, REVOKED, EXPIRED,
-- REJECTED, IGNORED -> QUEUED.
-- request: ids. A node of a workflow is not sent back alone: workflow_retry does that.
-- Returns a word an id: queued, not_retryable, not_found.
local function take_key_again(task)
  if not task.unique then return true end
  if holder_of(task.unique) then return false end
  hold_key(task.unique, task.id, 0)
  return true
end

local answers = {}
for index, id in ipairs(request.ids) do
  local task = load(id)
  if not task or task.state == TOMBSTONE then
    answers[index] = 'not_found'
  elseif task.workflow or not is_terminal(task.state) or task.state == SUCCEEDED or not take_key_again(task) then
    answers[index] = 'not_retryable'
  else
    local key = task_key(id)
    redis.call('ZREM', ended_key(task.state), id)
    redis.call('HDEL', key, 'a', 'b', 'd', 'o', 'u', 'x', 'y', 'z', 'C', 'Cg', 'Cr', 'Cs', 'E', 'P', 'R', 'S', 'Uu')
    count_waiting(task.queue, 1)
    make_ready(task)
    answers[index] = 'queued'
  end
end
return reply(answers)
