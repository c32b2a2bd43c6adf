#include "author/scaffold.h"

#include "base/file.h"
#include "base/json.h"
#include "rules/plugin_package.h"

#include <algorithm>

namespace dutybook::author {

namespace {

bool valid_id(const std::string& id) {
    return !id.empty() && id.size() <= 40 && id.front() >= 'a' && id.front() <= 'z' &&
           std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
    }
    return text;
}

std::string manifest_text(const std::string& id, bool native) {
    const std::string kind = id + ".note";
    Json rule = {
        {"id", "NOTE-R01"},
        {"title", {{"en", "A note says something"}}},
        {"on", kind},
        {"subject", "note"},
        {"severity", "warn"},
        {"source", "say here which law or policy the rule comes from"},
        {"messages", {{"short", {{"en", "Only {words} words; at least {least} are wanted."}}}}}};
    nlohmann::ordered_json manifest;
    manifest["id"] = id;
    manifest["version"] = "1.0.0";
    manifest["abi"] = 1;
    manifest["runtime"] = native ? "native" : "lua";
    manifest["title"] = {{"en", id}};
    manifest["kinds"] = {{{"kind", kind}, {"schema", "schemas/note.json"}}};
    manifest["rules"] = {rule};
    manifest["configuration"] = {{"type", "object"},
                                 {"properties",
                                  {{"least_words",
                                    {{"type", "integer"},
                                     {"minimum", 1},
                                     {"default", 3},
                                     {"description", "Words of a note."}}}}}};
    return manifest.dump(2) + "\n";
}

constexpr const char* schema_text = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "Note",
  "description": "What this kind of record is for, in one sentence.",
  "x-kind": "@.note",
  "x-version": 1,
  "x-label": { "en": "Note" },
  "x-effective": "at",
  "x-final": true,
  "x-order": ["at", "text"],
  "type": "object",
  "required": ["at", "text"],
  "properties": {
    "at": { "type": "string", "format": "date-time", "x-label": { "en": "At" } },
    "text": { "type": "string", "x-label": { "en": "Text" } }
  },
  "examples": [{ "at": "2026-03-02T08:00:00-05:00", "text": "three words here" }]
}
)";

constexpr const char* lua_text = R"(-- What each part means is told in plugins/REFERENCE.md.

rules["NOTE-R01"] = function(note)
  local words = 0
  for _ in string.gmatch(note.text, "%S+") do
    words = words + 1
  end
  if words < config.least_words then
    return { code = "short", path = "/text", values = { words = words, least = config.least_words } }
  end
end
)";

constexpr const char* tests_text = R"([
  {
    "name": "a note of three words is fine",
    "do": { "write": { "kind": "@.note", "fields": { "at": "2026-03-02T08:00:00-05:00", "text": "three words here" } } },
    "expect": { "verdict": "allow", "findings": [] }
  },
  {
    "name": "a short note is told",
    "do": { "write": { "kind": "@.note", "fields": { "at": "2026-03-02T08:00:00-05:00", "text": "hm" } } },
    "expect": { "verdict": "warn", "findings": [{ "rule": "NOTE-R01", "code": "short", "path": "/text" }] }
  },
  {
    "name": "how many words are wanted is a setting",
    "config": { "least_words": 1 },
    "do": { "write": { "kind": "@.note", "fields": { "at": "2026-03-02T08:00:00-05:00", "text": "hm" } } },
    "expect": { "verdict": "allow", "findings": [] }
  }
]
)";

Result<void> write_blank(const NewPlugin& wanted, const std::string& id) {
    const auto& folder = wanted.folder;
    TRY(make_directories(folder / "schemas", 0755));
    TRY(make_directories(folder / "tests", 0755));
    const auto put = [&](const char* name, const std::string& text) {
        return write_file_atomically(folder / name, text, 0644);
    };
    TRY(put("plugin.json", manifest_text(id, wanted.native)));
    TRY(put("schemas/note.json", replaced(schema_text, "@", id)));
    TRY(put("tests/note.json", replaced(tests_text, "@", id)));
    if (!wanted.native) return put("rules.lua", lua_text);
    for (const auto& [from, to] : {std::pair{"examples/word_count/plugin.c", "plugin.c"},
                                   std::pair{"sdk/dutybook_plugin.h", "dutybook_plugin.h"}}) {
        TRY_ASSIGN(const std::string text, read_file(wanted.plugins / from));
        TRY(put(to, text));
    }
    return put("README.md",
               "Build it with\n\n    cc -std=c99 -shared -fPIC -I . -o plugin.so plugin.c\n");
}

// A copy under another id: kinds and files begin with the new one, so that both can run.
Result<void> copy_plugin(const NewPlugin& wanted, const std::string& id) {
    const auto source = wanted.plugins / wanted.from;
    if (wanted.from.find('/') != std::string::npos || !fs::exists(source / "plugin.json")) {
        return failure(Code::NotFound, "no plugin " + wanted.from + " to begin from", {},
                       "say education, medical, legal or blank");
    }
    TRY_ASSIGN(const auto files, rules::read_package_files(source));
    for (const auto& [name, bytes] : files) {
        std::string text = bytes;
        if (name != "plugin.so") {
            text = replaced(text, wanted.from + ".", id + ".");
            text = replaced(text, "\"id\": \"" + wanted.from + "\"", "\"id\": \"" + id + "\"");
        }
        TRY(make_directories((wanted.folder / name).parent_path(), 0755));
        TRY(write_file_atomically(wanted.folder / name, text, 0644));
    }
    return {};
}

}  // namespace

Result<void> make_plugin(const NewPlugin& wanted) {
    const std::string id = wanted.folder.filename().string();
    if (!valid_id(id)) {
        return malformed("\"" + id +
                         "\" is no plugin's name: small letters, digits and _, at most 40");
    }
    std::error_code failed;
    if (fs::exists(wanted.folder, failed)) {
        return failure(Code::Exists, wanted.folder.string() + " is there already");
    }
    if (wanted.from == "blank") return write_blank(wanted, id);
    if (wanted.native) return malformed("a native plugin begins from blank");
    return copy_plugin(wanted, id);
}

}  // namespace dutybook::author
