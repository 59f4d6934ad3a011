-- Replaces a RedisJSON document, but for members whose new value is not known.
-- KEYS[1] the document. ARGV: the new object, then the names (quoted as in JSON) of members that keep what they hold.
local doc = ARGV[1]
local kept = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  for i = 2, #ARGV do
    local found = redis.call('JSON.GET', KEYS[1], '$[' .. ARGV[i] .. ']')
    if found and #found > 2 then
      kept[#kept + 1] = ARGV[i] .. ':' .. string.sub(found, 2, -2)
    end
  end
end
if #kept > 0 then
  local comma = doc == '{}' and '' or ','
  doc = string.sub(doc, 1, -2) .. comma .. table.concat(kept, ',') .. '}'
end
redis.call('JSON.SET', KEYS[1], '$', doc)
