-- Replaces a JSON object in a string, but for members whose new value is not known.
-- KEYS[1] the string. ARGV: the new object, then the names (quoted as in JSON) of members that keep what they hold.
-- Their bytes are copied as they stand: decoding would lose digits of numbers.
local doc = ARGV[1]
local old = redis.call('GET', KEYS[1])
local find, byte, sub = string.find, string.byte, string.sub

-- The place after the string that opens at `at`.
local function after_string(at)
  at = at + 1
  while true do
    local hit = find(old, '["\\]', at)
    if not hit then return nil end
    if byte(old, hit) == 34 then return hit + 1 end
    at = hit + 2
  end
end

-- The place of the comma or brace that ends the value at `at`.
local function after_value(at)
  local depth = 0
  while at do
    local hit = find(old, '["{}%[%],]', at)
    if not hit then return nil end
    local c = byte(old, hit)
    if c == 34 then
      at = after_string(hit)
    else
      if c == 123 or c == 91 then
        depth = depth + 1
      elseif depth == 0 then
        return hit
      elseif c ~= 44 then
        depth = depth - 1
      end
      at = hit + 1
    end
  end
end

local kept = {}
if old then
  local wanted = {}
  for i = 2, #ARGV do wanted[ARGV[i]] = true end
  local at = find(old, '^%s*{') and find(old, '{', 1, true) + 1
  while at do
    local open = find(old, '^%s*"', at)
    if not open then break end
    open = find(old, '"', at, true)
    local close = after_string(open)
    local colon = close and find(old, ':', close, true)
    local stop = colon and after_value(colon + 1)
    if not stop then break end
    local name = sub(old, open, close - 1)
    if wanted[name] then
      kept[#kept + 1] = name .. sub(old, colon, stop - 1)
    end
    at = byte(old, stop) == 44 and stop + 1
  end
end
if #kept > 0 then
  local comma = doc == '{}' and '' or ','
  doc = sub(doc, 1, -2) .. comma .. table.concat(kept, ',') .. '}'
end
redis.call('SET', KEYS[1], doc)
