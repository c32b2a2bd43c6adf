// In plain words: what a plugin is and may see, what a rule says, and why a record was judged as
// it was.

#include "api/call.h"
#include "api/findings.h"
#include "api/reference.h"
#include "api/walls.h"
#include "core/plugins.h"
#include "core/record_source.h"

namespace dutybook::api {

namespace {

Json text_or_null(const rules::Texts& texts, const std::string& language) {
    const std::string text = rules::text_in(texts, language);
    return text.empty() ? Json(nullptr) : Json(text);
}

Json needs_json(const rules::NeedSet& set) {
    Json needs = Json::array();
    for (const rules::Need& need : set.needs) {
        needs.push_back({{"name", need.name},
                         {"kind", need.kind},
                         {"list", need.list},
                         {"words", rules::need_words(need)}});
    }
    return needs;
}

Json rule_json(const rules::ManifestRule& rule, const std::string& language) {
    Json messages = Json::object();
    for (const auto& [code, texts] : rule.messages) {
        messages[code] = rules::text_in(texts, language);
    }
    return {{"rule", rule.id},
            {"title", text_or_null(rule.title, language)},
            {"on", rule.needs.kinds},
            {"needs", needs_json(rule.needs)},
            {"check", rules::name_of(rule.check)},
            {"stored", rules::name_of(rule.stored)},
            {"clock", rule.clock},
            {"source", rule.source},
            {"messages", std::move(messages)}};
}

// Each setting with its default, and its value in each space where that differs.
Json settings_json(const Call& call, const rules::Manifest& manifest) {
    Json settings = Json::array();
    const Json defaults = manifest.default_configuration();
    const Json properties = manifest.configuration.is_object()
                                ? manifest.configuration.value("properties", Json::object())
                                : Json::object();
    for (const auto& [name, schema] : properties.items()) {
        Json here = Json::object();
        for (core::SpaceService* space : call.services.book->spaces()) {
            const auto& in = space->facts().name;
            const Json all = call.services.plugins->host().configuration(in, manifest.id);
            if (all.contains(name) && all[name] != defaults.value(name, Json())) {
                here[in] = all[name];
            }
        }
        settings.push_back({{"name", name},
                            {"description", schema.value("description", "")},
                            {"default", defaults.value(name, Json())},
                            {"set", std::move(here)}});
    }
    return settings;
}

Result<Response> explain_plugin(Call& call) {
    const auto plugin = call.services.plugins->host().find(call.argument(0));
    if (!plugin) {
        return failure(Code::NotFound, "no plugin " + call.argument(0), {},
                       "`dutybook plugin list` shows all");
    }
    const std::string language = call.language();
    const rules::Manifest& manifest = plugin->package.manifest;
    Json rules = Json::array();
    for (const auto& rule : manifest.rules) rules.push_back(rule_json(rule, language));
    Json reports = Json::array();
    for (const auto& report : manifest.reports) {
        reports.push_back({{"report", manifest.id + "." + report.name},
                           {"title", text_or_null(report.title, language)},
                           {"needs", needs_json(report.needs)},
                           {"formats", report.formats},
                           {"parameters", report.parameters}});
    }
    return json_response({{"id", manifest.id},
                          {"version", manifest.version},
                          {"title", text_or_null(manifest.title, language)},
                          {"description", text_or_null(manifest.description, language)},
                          {"sees", manifest.sees()},
                          {"rules", std::move(rules)},
                          {"reports", std::move(reports)},
                          {"settings", manifest.configuration},
                          {"values", settings_json(call, manifest)},
                          {"sandbox", plugin->slot->status().sandbox}});
}

Result<Response> explain_rule(Call& call) {
    const std::string& wanted = call.argument(0);
    for (const auto& one : call.services.plugins->list()) {
        const auto plugin = call.services.plugins->host().find(one.status.id);
        const auto* rule = plugin ? plugin->package.manifest.rule(wanted) : nullptr;
        if (rule == nullptr) continue;
        Json json = rule_json(*rule, call.language());
        json["plugin"] = one.status.id;
        json["version"] = one.status.version;
        json["values"] = settings_json(call, plugin->package.manifest);
        return json_response(json);
    }
    return failure(Code::NotFound, "no rule " + wanted, {},
                   "`dutybook plugin explain PLUGIN` names the rules of a plugin");
}

Result<Json> account_json(const Call& call, const rules::RuleAccount& account, Walls& walls) {
    const std::string language = call.language();
    Json looked = Json::array();
    for (const auto& need : account.needs) {
        Json records = Json::array();
        for (const std::string& id : need.records) {
            TRY_ASSIGN(const bool hidden, walls.hides(id));
            if (!hidden) records.push_back(id);
        }
        looked.push_back({{"name", need.name}, {"words", need.words}, {"records", records}});
    }
    Json findings = Json::array();
    for (const auto& finding : account.findings) {
        findings.push_back(finding_json(call.services, finding, language));
    }
    TRY(walls.mask(findings, language));
    Json json = {{"plugin", account.plugin},
                 {"version", account.version},
                 {"rule", account.rule},
                 {"title", text_or_null(account.title, language)},
                 {"source", account.source},
                 {"looked_at", std::move(looked)},
                 {"findings", std::move(findings)},
                 {"unchecked", account.unchecked.empty() ? Json() : Json(account.unchecked)}};
    return Result<Json>(boost::system::in_place_value, std::move(json));
}

Result<Response> explain_record(Call& call) {
    TRY_ASSIGN(const Found found, find_record(call));
    const auto& state = found.record.state;
    const auto subject = core::rule_record(state, found.record.version, found.space->facts().name);
    TRY_ASSIGN(const auto accounts, found.space->run([&](core::SpaceEngine& engine) {
        core::IndexSource source(engine.facts(), engine.parts());
        return call.services.plugins->host().explain(subject, source);
    }));
    Walls walls(call.services, *found.space, reader_of(call));
    Json items = Json::array();
    for (const auto& account : accounts) {
        TRY_ASSIGN(Json item, account_json(call, account, walls));
        items.push_back(std::move(item));
    }
    return json_response(Json{{"record", state.id},
                              {"kind", state.kind},
                              {"version", found.record.version},
                              {"rules", std::move(items)}});
}

}  // namespace

std::vector<Endpoint> explain_routes() {
    const std::vector<Query> language{{"language", Type::Text, "of the reader: en, es"}};
    return {
        {.path = "/v1/plugins/{plugin}",
         .name = "explainPlugin",
         .summary = "What a plugin is, sees and does.",
         .query = language,
         .runs = Runs::Pool,
         .run = answering(explain_plugin)},
        {.path = "/v1/rules/{rule}",
         .name = "explainRule",
         .summary = "What a rule says, looks at and rests on.",
         .query = language,
         .runs = Runs::Pool,
         .run = answering(explain_rule)},
        {.path = "/v1/spaces/{space}/records/{id}/verdict",
         .name = "explainRecord",
         .summary = "Each rule that judges a record: what it looked up, what it found.",
         .query = language,
         .runs = Runs::Pool,
         .run = answering(explain_record)},
    };
}

}  // namespace dutybook::api
