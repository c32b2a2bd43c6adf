#pragma once
// plugin.json: what a plugin brings and what it may see. The format is described, member by
// member, in schemas/plugin.schema.json; here is what it means. Pure but for loading the schema.

#include "base/json.h"
#include "rules/finding.h"
#include "rules/needs.h"
#include "rules/schema_validator.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::rules {

inline constexpr int plugin_abi = 1;

// One text by language.
using Texts = std::map<std::string, std::string, std::less<>>;
// In the language, else its base ("es" of "es-MX"), else English, else any; empty if there is none.
std::string text_in(const Texts& texts, std::string_view language);

struct ManifestKind {
    std::string kind;
    std::string schema;     // "schemas/vitals.json"
    bool migrates = false;  // the plugin brings its older records to the shape of today
};

struct ManifestRule {
    std::string id;
    Texts title;
    Severity check = Severity::Warn;   // asked beforehand, and at a local write if it is reject
    Severity stored = Severity::Warn;  // told of a record that is there
    bool clock = false;
    std::optional<Moment> again;
    std::string source;
    std::map<std::string, Texts, std::less<>> messages;  // by code
    NeedSet needs;                                       // with the subject's kinds and name

    Severity severity_for(Purpose purpose) const;
};

struct ManifestCompletion {
    std::string kind;
    NeedSet needs;
};

struct ManifestReport {
    std::string name;
    Texts title, description;
    Json parameters;  // JSON Schema
    NeedSet needs;    // subject "parameters", no kinds
    std::vector<std::string> formats;
    bool landscape = false;
    std::string privacy = "ordinary";
    std::vector<std::string> readers;  // roles that it is made for, whatever class it shows
};

struct ManifestLimits {
    std::uint64_t memory_mb = 64, instructions = 20'000'000, deadline_ms = 250, output_kb = 1024;
};

struct Manifest {
    std::string id, version;
    int abi = plugin_abi;
    bool native = false;
    Texts title, description;
    std::map<std::string, std::string> requires_plugins;  // id, lowest version
    std::vector<ManifestKind> kinds;
    std::vector<ManifestRule> rules;
    std::vector<ManifestCompletion> completes;
    std::vector<ManifestReport> reports;
    Json configuration;  // JSON Schema, {"type": "object", ...}
    ManifestLimits limits;

    const ManifestRule* rule(std::string_view id) const;
    const ManifestReport* report(std::string_view name) const;
    std::vector<std::string> migrated_kinds() const;
    // All kinds that it may look at, subjects and needs, sorted: what an administrator is shown.
    std::vector<std::string> sees() const;
    // The defaults of its settings.
    Json default_configuration() const;
};

// A manifest that is of no use is refused with file, line and pointer, all errors at once (up to
// 20), the first ones by the schema.
class ManifestReader {
public:
    // `schemas` holds plugin.schema.json.
    static Result<ManifestReader> open(const std::filesystem::path& schemas);
    struct Reading {
        Manifest manifest;  // only if there are no errors
        std::vector<Error> errors;
    };
    Reading read(std::string_view text, const std::string& file) const;

private:
    explicit ManifestReader(Schema schema) : schema_(std::move(schema)) {}
    Schema schema_;
};

// locales/<language>.json: {"RULE.code": text, ...}. Texts there win over the manifest's. Refuses a
// key that names no code of the plugin.
Result<void> add_locale(Manifest& manifest, const std::string& language, std::string_view text,
                        const std::string& file);

// -1, 0, 1 as version a is lower, equal or higher ("1.10.0" is higher than "1.9.0").
int compare_versions(std::string_view a, std::string_view b);

// A message with its {names} replaced; a name without a value stays as it is.
std::string filled(std::string_view message, const Json& values);

}  // namespace dutybook::rules
