-- Forgets ended tasks; their ids stay taken for the deduplication window. Terminal -> tombstone.
-- request: ids, window.
-- Returns a word an id: deleted, not_terminal, needed (its workflow still runs), not_found.
-- A workflow that ended counts what was deleted of it: it can't be run again without.
local function is_needed(task)
  if not task.workflow then return false end
  local key = workflow_key(task.workflow)
  if tonumber(redis.call('HGET', key, 's')) == 1 then return true end
  redis.call('HINCRBY', key, 'd', 1)
  return false
end

local answers = {}
for index, id in ipairs(request.ids) do
  local task = load(id)
  if not task or task.state == TOMBSTONE then
    answers[index] = 'not_found'
  elseif not is_terminal(task.state) then
    answers[index] = 'not_terminal'
  elseif is_needed(task) then
    answers[index] = 'needed'
  else
    bury(id, redis.call('HGET', task_key(id), 'f'), task.state, request.window)
    answers[index] = 'deleted'
  end
end
return reply(answers)
