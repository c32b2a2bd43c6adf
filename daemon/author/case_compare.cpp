#include "author/cases.h"

#include <algorithm>

namespace dutybook::author {

namespace {

// Every member that is wanted is there with that value; lists of texts compare as they are.
bool holds(const Json& wanted, const Json& got) {
    if (!wanted.is_object()) return wanted == got;
    if (!got.is_object()) return false;
    return std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& member) {
        const auto found = got.find(member.key());
        return found != got.end() && holds(member.value(), *found);
    });
}

std::string shown(const Json& value) {
    const std::string text = value.dump();
    return text.size() > 400 ? text.substr(0, 400) + "..." : text;
}

void compare_findings(const Json& expect, const Json& outcome, std::vector<std::string>& out) {
    const Json& wanted = expect["findings"];
    std::vector<Json> got;
    const Json only = expect.value("only_rules", Json());
    for (const Json& finding : outcome.value("findings", Json::array())) {
        const bool counts =
            only.is_null() || std::find(only.begin(), only.end(), finding["rule"]) != only.end();
        if (counts) got.push_back(finding);
    }
    for (const Json& one : wanted) {
        const auto found = std::find_if(got.begin(), got.end(),
                                        [&](const Json& finding) { return holds(one, finding); });
        if (found == got.end()) {
            out.push_back("wanted a finding " + shown(one) + ", there is none");
        } else {
            got.erase(found);
        }
    }
    for (const Json& one : got) out.push_back("did not want the finding " + shown(one));
}

void compare_blocks(const Json& wanted, const Json& outcome, std::vector<std::string>& out) {
    const Json blocks = outcome.value("blocks", Json::array());
    for (const Json& one : wanted) {
        const bool found = std::any_of(blocks.begin(), blocks.end(),
                                       [&](const Json& block) { return holds(one, block); });
        if (!found) out.push_back("wanted a block " + shown(one) + ", the report has none");
    }
}

void compare_texts(const Json& expect, const Json& outcome, std::vector<std::string>& out) {
    const std::string page = outcome.value("page", "");
    for (const Json& text : expect.value("contains", Json::array())) {
        if (page.find(text.get<std::string>()) == std::string::npos) {
            out.push_back("the report does not show " + shown(text));
        }
    }
    for (const Json& text : expect.value("lacks", Json::array())) {
        if (page.find(text.get<std::string>()) != std::string::npos) {
            out.push_back("the report shows " + shown(text));
        }
    }
}

}  // namespace

std::vector<std::string> differences(const Json& expect, const Json& outcome) {
    std::vector<std::string> out;
    for (const char* name : {"verdict", "earliest_next", "fields", "errors"}) {
        if (!expect.contains(name)) continue;
        const Json got = outcome.value(name, Json());
        if (!holds(expect[name], got)) {
            out.push_back(std::string(name) + ": wanted " + shown(expect[name]) + ", got " +
                          shown(got));
        }
    }
    if (!expect.contains("errors") && outcome.contains("errors")) {
        out.push_back("the record is malformed: " + shown(outcome["errors"]));
    }
    if (expect.contains("findings")) compare_findings(expect, outcome, out);
    if (expect.contains("blocks")) compare_blocks(expect["blocks"], outcome, out);
    compare_texts(expect, outcome, out);
    for (const Json& why : outcome.value("unchecked", Json::array())) {
        out.push_back("could not be judged: " + shown(why));
    }
    return out;
}

std::vector<std::string> never_exercised(const rules::Manifest& manifest,
                                         const std::set<std::string>& fired) {
    std::vector<std::string> never;
    for (const rules::ManifestRule& rule : manifest.rules) {
        for (const auto& [code, texts] : rule.messages) {
            if (fired.count(rule.id + "." + code) == 0) never.push_back(rule.id + "." + code);
        }
    }
    for (const std::string& kind : manifest.migrated_kinds()) {
        if (fired.count("migrate " + kind) == 0) never.push_back("migrate " + kind);
    }
    return never;
}

}  // namespace dutybook::author
