// A plugin's package as it comes with a space or from a folder: plugin.json, then, after lines of
// "---", the schema of its kind and a locale.

#include "fuzz/target.h"
#include "rules/plugin_package.h"
#include "support/source_dir.h"

using namespace dutybook;

namespace {

const rules::ManifestReader& reader() {
    static const auto opened =
        rules::ManifestReader::open(dutybook::tests::source_dir() / "schemas");
    fuzz::must(opened.has_value(), "schemas/plugin.schema.json can be read");
    return *opened;
}

std::string_view cut(std::string_view& rest) {
    constexpr std::string_view line = "\n---\n";
    const auto end = rest.find(line);
    const auto part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + line.size());
    return part;
}

}  // namespace

DUTYBOOK_FUZZ_TARGET(manifest) {
    rules::PackageFiles files;
    files["plugin.json"] = cut(bytes);
    files["schemas/thing.json"] = cut(bytes);
    files["locales/es.json"] = cut(bytes);
    files["rules.lua"] = "return {}";
    const auto read = rules::read_package(files, "sample", reader());
    if (!read.errors.empty()) return;
    const auto& manifest = read.package.manifest;
    fuzz::must(!manifest.id.empty() && !read.package.digest.empty(), "a package has a name");
    (void)manifest.sees();
    (void)manifest.default_configuration();
    for (const auto& rule : manifest.rules) {
        for (const auto& [code, texts] : rule.messages)
            (void)rules::filled(rules::text_in(texts, "es-MX"), Json{{"minutes", "5"}});
    }
}
