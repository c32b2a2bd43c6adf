#include "core/completion.h"

#include "base/log.h"

#include <algorithm>

namespace dutybook::core {

namespace {

constexpr std::size_t most_bytes = 16 * 1024;  // of one value; an operation holds 64 KiB

bool fits(const std::string& field, const Json& value, const std::string& kind,
          const rules::Kinds& kinds) {
    const std::string pointer = pointer_to("", field);
    const auto errors = kinds.validate(kind, Json{{field, value}});
    return std::none_of(errors.begin(), errors.end(), [&](const Error& error) {
        return error.pointer == pointer || error.pointer.starts_with(pointer + "/");
    });
}

}  // namespace

void fill_in(Json& fields, const rules::Completion& completion, const std::string& kind,
             const rules::Kinds& kinds) {
    for (const auto& [field, text] : completion.fields) {
        Json value = Json::parse(text, nullptr, false);
        if (value.is_discarded() || value.is_null()) continue;
        if (text.size() > most_bytes || !fits(field, value, kind, kinds)) {
            log_warning("plugin", "what a plugin completed does not fit its kind",
                        {{"kind", kind}, {"field", field}});
            continue;
        }
        fields[field] = std::move(value);
    }
}

}  // namespace dutybook::core
