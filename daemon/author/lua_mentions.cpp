#include "author/lua_mentions.h"

#include <re2/re2.h>

#include <algorithm>

namespace dutybook::author {

namespace {

// The pattern has two groups: the name, and what is there if more is appended to it.
std::vector<Mention> all(const std::string& pattern, std::string_view lua) {
    const re2::RE2 mention(R"((?s)--\[\[.*?\]\]|--[^\n]*|)" + pattern);
    std::vector<Mention> found;
    re2::StringPiece rest(lua.data(), lua.size());
    const char* counted = lua.data();
    std::uint64_t line = 1;
    std::string name, more;
    while (re2::RE2::FindAndConsume(&rest, mention, &name, &more)) {
        line += static_cast<std::uint64_t>(std::count(counted, rest.data(), '\n'));
        counted = rest.data();
        if (!name.empty()) found.push_back({name, line, !more.empty()});
    }
    return found;
}

}  // namespace

std::vector<Mention> mentioned_codes(std::string_view lua) {
    return all(R"(\bcode\s*=\s*["']([^"'\n]*)["'](\s*\.\.)?)", lua);
}

std::vector<Mention> mentioned_needs(std::string_view lua) {
    return all(R"((?:^|[^.:\w])needs\s*(?:\.\s*|\[\s*["'])([A-Za-z_]\w*)())", lua);
}

}  // namespace dutybook::author
