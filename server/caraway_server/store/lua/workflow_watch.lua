-- Reads a workflow and, unless what the caller waits for is there, has this gateway told of its changes. No state changes.
-- request: id, after (0: wait for the end; else for a greater revision).
-- Returns the record as a flat list of fields and values; empty: there is none.
local key = workflow_key(request.id)
local v = redis.call('HMGET', key, 's', 'r', 'W')
if not v[1] or tonumber(v[1]) == TOMBSTONE then return reply({}) end
local watchers = v[3] or ''
local there = tonumber(v[1]) > 1 or (request.after > 0 and tonumber(v[2]) > request.after)
local entry = request.after > 0 and me .. '+' or me
if not there then add_watcher(key, watchers, entry) end
return reply(redis.call('HGETALL', key))
