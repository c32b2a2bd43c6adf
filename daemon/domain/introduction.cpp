#include "domain/membership.h"

#include "base/json.h"
#include "domain/operation.h"

namespace dutybook::domain {

std::string introduction_text(std::string_view space, const Introduction& introduction) {
    std::string text =
        introduction.replaces() ? "dutybook key replaced\n" : "dutybook introduction\n";
    text += space;
    text += '\n' + introduction.site + '\n';
    if (introduction.replaces()) {
        text += introduction.ended + '\n' + std::to_string(introduction.end.seq) + '\n' +
                introduction.end.segment + '\n';
    }
    text += view(introduction.sign);
    text += view(introduction.box);
    return text;
}

std::string write_introduction(const Introduction& introduction) {
    Json members = {
        {"box", base64(view(introduction.box))},
        {introduction.replaces() ? "replaces" : "invite", base64(view(introduction.by))},
        {"proof", base64(introduction.proof)},
        {"sign", base64(view(introduction.sign))}};
    if (introduction.replaces()) {
        members["ended"] = {introduction.ended, introduction.end.seq, introduction.end.segment};
    }
    return canonical(members);
}

Result<Introduction> read_introduction(std::string_view text) {
    const auto wrong = malformed("a site's introduction is wrong", "/introduction");
    TRY_ASSIGN(const Json object, parse_json(text, {4, 1024}));
    if (!object.is_object()) return wrong;
    Introduction one;
    const auto bytes = [&object](const char* name) -> Result<std::string> {
        const auto found = object.find(name);
        if (found == object.end() || !found->is_string()) return malformed("no bytes");
        return from_base64(found->get_ref<const std::string&>());
    };
    const bool replaces = object.contains("replaces");
    for (const auto& [name, key] : {std::pair{"box", &one.box},
                                    {replaces ? "replaces" : "invite", &one.by},
                                    {"sign", &one.sign}}) {
        const auto raw = bytes(name);
        const auto read = raw ? public_key_from(*raw) : Result<PublicKey>(raw.error());
        if (!read) return wrong;
        *key = *read;
    }
    auto proof = bytes("proof");
    if (!proof) return wrong;
    one.proof = std::move(*proof);
    if (replaces) {
        const auto ended = object.find("ended");
        const bool shaped = ended != object.end() && ended->is_array() && ended->size() == 3 &&
                            (*ended)[0].is_string() && (*ended)[1].is_number_integer() &&
                            (*ended)[1] >= 0 && (*ended)[2].is_string();
        if (!shaped || !valid_writer((*ended)[0].get_ref<const std::string&>())) return wrong;
        one.ended = (*ended)[0];
        one.end = {(*ended)[1].get<std::uint64_t>(), (*ended)[2]};
    }
    one.site = replaces ? std::string(site_of(one.ended)) : site_id_of(one.sign);
    if (write_introduction(one) != text) return wrong;
    return one;
}

}  // namespace dutybook::domain
