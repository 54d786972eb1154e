-- Forgets ended tasks; their ids stay taken for the deduplication window. Terminal -> tombstone.
-- request: ids, window.
-- Returns a word an id: deleted, not_terminal, not_found.
local answers = {}
for index, id in ipairs(request.ids) do
  local task = load(id)
  if not task or task.state == TOMBSTONE then
    answers[index] = 'not_found'
  elseif task.state < SUCCEEDED then
    answers[index] = 'not_terminal'
  else
    bury(id, request.window)
    answers[index] = 'deleted'
  end
end
return reply(answers)
