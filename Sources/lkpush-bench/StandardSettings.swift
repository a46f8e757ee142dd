import Exporter

/// The defaults of the program: benchmarks measure with them.
enum StandardSettings {
    static let all: Settings = {
        var reader = SettingsReader([:])
        return Settings(&reader)
    }()
}
