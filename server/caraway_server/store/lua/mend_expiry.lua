-- Takes an expiry of Redis off a key that has none by rule; a set of hungry gateways without one goes: they ask again. No
-- task changes state.
-- request: name (of the key, without the root).
-- Returns nothing of use.
local key = root .. request.name
if string.sub(request.name, 1, 7) == 'hungry:' then
  if redis.call('PTTL', key) == -1 then redis.call('DEL', key) end
else
  redis.call('PERSIST', key)
end
return reply(true)
