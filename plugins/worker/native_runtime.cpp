#include "sdk/dutybook_plugin.h"
#include "worker/runtime.h"

#include <dlfcn.h>

#include <cstring>

namespace dutybook::worker {

namespace {

struct Output {
    std::string text;
    std::string error;
    std::uint64_t limit = 0;
};

int sink_write(void* host, dutybook_text text) {
    auto* output = static_cast<Output*>(host);
    if (text.size > output->limit - output->text.size()) {
        output->error = "the answer is larger than the plugin's output limit";
        return 1;
    }
    output->text.append(text.data, text.size);
    return 0;
}

void sink_error(void* host, dutybook_text text) {
    static_cast<Output*>(host)->error.assign(text.data, std::min<std::size_t>(text.size, 1024));
}

dutybook_text as_text(std::string_view text) {
    return {text.data(), text.size()};
}

class NativeRuntime final : public Runtime {
public:
    NativeRuntime(const CallLimits& limits, LogLine log) : limits_(limits), log_(std::move(log)) {
        host_.size = sizeof(host_);
        host_.abi_version = DUTYBOOK_ABI_VERSION;
        host_.host = this;
        host_.log = [](void* host, dutybook_text line) {
            auto* self = static_cast<NativeRuntime*>(host);
            if (++self->logged_ > 100) return;
            self->log_({line.data, std::min<std::size_t>(line.size, 1024)});
        };
        host_.extension = [](void*, const char*) -> const void* { return nullptr; };
    }
    NativeRuntime(const NativeRuntime&) = delete;
    NativeRuntime& operator=(const NativeRuntime&) = delete;
    ~NativeRuntime() override {
        if (state_ != nullptr && plugin_->destroy != nullptr) plugin_->destroy(state_);
    }

    Result<void> load(const std::string& object, std::string_view configuration) {
        void* library = ::dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) {
            return failure(Code::Malformed, object + " cannot be loaded", ::dlerror());
        }
        using Entry = const dutybook_plugin* (*)(std::uint32_t);
        const auto entry = reinterpret_cast<Entry>(::dlsym(library, "dutybook_plugin_entry"));
        if (entry == nullptr) {
            return failure(Code::Malformed, object + " is not a Dutybook plugin",
                           "it does not export dutybook_plugin_entry");
        }
        plugin_ = entry(DUTYBOOK_ABI_VERSION);
        if (plugin_ == nullptr) {
            return failure(Code::Malformed, object + " refuses this Dutybook",
                           "it does not run with ABI " + abi_text(DUTYBOOK_ABI_VERSION));
        }
        if (!DUTYBOOK_HAS(plugin_, dutybook_plugin, destroy) ||
            (plugin_->abi_version >> 16) != DUTYBOOK_ABI_MAJOR) {
            return failure(Code::Malformed, object + " was built for another ABI",
                           "it says " + abi_text(plugin_->abi_version) + ", this Dutybook has " +
                               abi_text(DUTYBOOK_ABI_VERSION),
                           "build it again against sdk/dutybook_plugin.h of this version");
        }
        return create(configuration);
    }

    Offered offered() const override { return {}; }  // a native plugin is asked what it declares
    std::string version() const override { return abi_text(plugin_->abi_version); }

    Result<std::string> call(std::string_view verb, std::string_view name,
                             std::string_view input) override {
        if (verb == "configure") {
            TRY(create(input));
            return std::string("{}");
        }
        const Function function = find(verb);
        if (function == nullptr) {
            return failure(Code::NotFound, "the plugin does not offer " + std::string(verb));
        }
        logged_ = 0;
        Output output{{}, {}, limits_.output};
        const dutybook_sink sink{sizeof(sink), &output, sink_write, sink_error};
        const int status = function(state_, as_text(name), as_text(input), &sink);
        if (status != 0 || !output.error.empty()) {
            return failure(Code::Internal, output.error.empty()
                                               ? "the call returned " + std::to_string(status)
                                               : output.error);
        }
        return std::move(output.text);
    }

private:
    using Function = int (*)(void*, dutybook_text, dutybook_text, const dutybook_sink*);

    // With another configuration the plugin starts anew; it must not carry over what it knew.
    Result<void> create(std::string_view configuration) {
        if (state_ != nullptr && plugin_->destroy != nullptr) plugin_->destroy(state_);
        state_ = plugin_->create(&host_, as_text(configuration));
        if (state_ == nullptr) {
            return failure(Code::Malformed, "the plugin did not start", "create returned null");
        }
        return {};
    }

    static std::string abi_text(std::uint32_t version) {
        return std::to_string(version >> 16) + "." + std::to_string(version & 0xffff);
    }

    // Members beyond the table of an older plugin count as null.
    Function find(std::string_view verb) const {
        if (verb == "evaluate") {
            return DUTYBOOK_HAS(plugin_, dutybook_plugin, evaluate) ? plugin_->evaluate : nullptr;
        }
        if (verb == "complete") {
            return DUTYBOOK_HAS(plugin_, dutybook_plugin, complete) ? plugin_->complete : nullptr;
        }
        if (verb == "report") {
            return DUTYBOOK_HAS(plugin_, dutybook_plugin, report) ? plugin_->report : nullptr;
        }
        if (verb == "migrate") {
            return DUTYBOOK_HAS(plugin_, dutybook_plugin, migrate) ? plugin_->migrate : nullptr;
        }
        return nullptr;
    }

    CallLimits limits_;
    LogLine log_;
    dutybook_host host_{};
    const dutybook_plugin* plugin_ = nullptr;
    void* state_ = nullptr;
    int logged_ = 0;
};

}  // namespace

Result<std::unique_ptr<Runtime>> load_native(const std::string& object,
                                             std::string_view configuration,
                                             const CallLimits& limits, LogLine log) {
    auto runtime = std::make_unique<NativeRuntime>(limits, std::move(log));
    TRY(runtime->load(object, configuration));
    return std::unique_ptr<Runtime>(std::move(runtime));
}

}  // namespace dutybook::worker
