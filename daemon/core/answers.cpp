#include "core/answers.h"

#include "base/crypto.h"

namespace dutybook::core {

std::string fingerprint(const WriteRequest& request) {
    const Json all = {static_cast<int>(request.action),
                      request.id,
                      request.kind,
                      request.fields,
                      request.field,
                      request.value,
                      request.reason,
                      request.if_version,
                      request.caller.by};
    const Hash hash = blake2b("dutybook request", canonical(all));
    return hex(std::span(hash).first(16));
}

std::string write_answer(const WriteRequest& request, const Written& written) {
    return canonical({{"checked", written.checked},
                      {"findings", written.findings},
                      {"id", written.id},
                      {"request", fingerprint(request)},
                      {"same_as", written.same_as},
                      {"version", written.record.version},
                      {"wrote", written.wrote}});
}

Result<KeptAnswer> read_answer(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return failure(Code::Corrupt, "a kept answer cannot be read");
    KeptAnswer out;
    out.request = json.value("request", "");
    out.version = json.value("version", "");
    out.written.id = json.value("id", "");
    out.written.wrote = json.value("wrote", false);
    out.written.findings = json.value("findings", "[]");
    out.written.checked = json.value("checked", true);
    out.written.same_as = json.value("same_as", "");
    return out;
}

}  // namespace dutybook::core
