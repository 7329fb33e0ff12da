//! Where burn's CUDA runtime keeps what costs it time to find out: which kernels are fastest for a size (autotune), and
//! compiled kernels. By default the former lie in the `target` of whatever Cargo project is above the working directory,
//! and the latter are not kept.

use std::path::PathBuf;
use std::sync::Once;

use cubecl_runtime::config::cache::CacheConfig;
use cubecl_runtime::config::{CubeClRuntimeConfig, RuntimeConfig};

/// The folder: `stance/cuda` among the caches of the person who runs the program.
fn folder() -> PathBuf {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")));
    caches.unwrap_or_else(std::env::temp_dir).join("stance").join("cuda")
}

/// Has both kept from one run to the next; the first call counts, and must come before CUDA is first used. Whatever else
/// a `cubecl.toml` or the environment says of the runtime stays as it is said there.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
        config.autotune.cache = CacheConfig::File(folder());
        config.compilation.cache = Some(CacheConfig::File(folder()));
        let mut slot = CubeClRuntimeConfig::storage().lock();
        if slot.is_none() {
            *slot = Some(std::sync::Arc::new(config));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_caches_are_kept_in_one_folder() {
        keep();
        keep();
        let config = CubeClRuntimeConfig::get();
        assert!(matches!(&config.autotune.cache, CacheConfig::File(path) if *path == folder()));
        assert!(matches!(&config.compilation.cache, Some(CacheConfig::File(path)) if *path == folder()));
        assert!(folder().ends_with("stance/cuda"));
    }
}
