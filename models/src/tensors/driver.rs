//! Whether CUDA can be used, found out before burn touches it: burn and its runtime panic where a library or the
//! toolkit is missing.

use std::path::PathBuf;
use std::sync::OnceLock;

/// Why CUDA cannot be used here, as one clause; nothing where it can. Asks once a process.
pub fn cuda_refusal() -> Option<String> {
    static ANSWER: OnceLock<Option<String>> = OnceLock::new();
    ANSWER.get_or_init(|| ask(foreign::devices(), foreign::compiler_loads(), toolkit())).clone()
}

/// What loading the driver and counting its devices gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    /// No driver library loads.
    Missing,
    /// It loads and answers with an error code of `CUresult`.
    Fails(i32),
    /// It loads and has this many devices.
    Has(i32),
}

/// `CUresult::CUDA_ERROR_NO_DEVICE`.
const NO_DEVICE: i32 = 100;

fn ask(driver: Driver, compiler: bool, toolkit: Option<PathBuf>) -> Option<String> {
    match driver {
        Driver::Missing => return Some("no CUDA driver loads on this machine (libcuda was not found)".into()),
        Driver::Fails(NO_DEVICE) | Driver::Has(i32::MIN..=0) => return Some("the CUDA driver finds no GPU".into()),
        Driver::Fails(code) => return Some(format!("the CUDA driver does not start (error {code})")),
        Driver::Has(_) => {}
    }
    if !compiler {
        return Some("NVIDIA's run-time compiler does not load (libnvrtc, of the CUDA toolkit, was not found)".into());
    }
    // Kernels are compiled when they are first used, and include the toolkit's headers.
    match toolkit {
        Some(folder) if folder.join("include").join("cuda_runtime.h").exists() => None,
        Some(folder) => Some(format!(
            "the CUDA toolkit's headers are not in {} (set CUDA_PATH to the folder above its `include`)",
            folder.display()
        )),
        None => Some("the CUDA toolkit was not found (set CUDA_PATH to the folder above its `include`)".into()),
    }
}

/// Where burn's CUDA runtime (cubecl-cuda 0.10, `install::cuda_path`) looks for the toolkit.
fn toolkit() -> Option<PathBuf> {
    if let Some(folder) = std::env::var("CUDA_PATH").ok().map(PathBuf::from) {
        return Some(folder);
    }
    if cfg!(windows) {
        return Some("C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/".into());
    }
    let usual = [("/usr/local/cuda", "/usr/local/cuda"), ("/opt/cuda", "/opt/cuda"), ("/usr/bin/nvcc", "/usr")];
    usual.into_iter().find(|(sign, _)| std::path::Path::new(sign).exists()).map(|(_, folder)| folder.into())
}

/// The only code of this crate that the compiler cannot check.
#[allow(unsafe_code)]
mod foreign {
    use std::ffi::{c_int, c_uint};

    use super::Driver;

    /// Loads the driver, starts it and counts its devices.
    pub fn devices() -> Driver {
        // SAFETY: loading a library runs its initialisers. The names tried are those of NVIDIA's driver alone, the
        // very ones that burn's CUDA runtime tries; the driver's initialisers may be run from any thread and
        // more than once in a process.
        if !unsafe { cudarc::driver::sys::is_culib_present() } {
            return Driver::Missing;
        }
        // SAFETY: as above; the call just before showed that one of the names loads, without which this would
        // panic. The library is never unloaded, so the functions below stay valid.
        let library = unsafe { cudarc::driver::sys::culib() };
        // SAFETY: these are the C signatures in NVIDIA's cuda.h: `CUresult cuInit(unsigned int)` and
        // `CUresult cuDeviceGetCount(int*)`, where the enum CUresult has the size of an int. They are taken as
        // plain integers because a newer driver may answer with a code that a Rust enum does not have. `count`
        // outlives the call that writes it. cuInit may be called any number of times.
        unsafe {
            let (Ok(start), Ok(count_devices)) = (
                library.get::<unsafe extern "C" fn(c_uint) -> c_int>(b"cuInit\0"),
                library.get::<unsafe extern "C" fn(*mut c_int) -> c_int>(b"cuDeviceGetCount\0"),
            ) else {
                return Driver::Missing;
            };
            let mut count = 0;
            match (start(0), count_devices(&raw mut count)) {
                (0, 0) => Driver::Has(count),
                (0, code) | (code, _) => Driver::Fails(code),
            }
        }
    }

    /// Whether NVIDIA's run-time compiler loads.
    pub fn compiler_loads() -> bool {
        // SAFETY: as for the driver: only NVIDIA's NVRTC library is tried, whose initialisers need nothing.
        unsafe { cudarc::nvrtc::sys::is_culib_present() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_thing_that_is_missing_is_named() {
        let nowhere = Some(PathBuf::from("/nowhere"));
        for (driver, compiler, toolkit, word) in [
            (Driver::Missing, true, nowhere.clone(), "driver"),
            (Driver::Fails(NO_DEVICE), true, nowhere.clone(), "no GPU"),
            (Driver::Has(0), true, nowhere.clone(), "no GPU"),
            (Driver::Fails(803), true, nowhere.clone(), "803"),
            (Driver::Has(1), false, nowhere.clone(), "libnvrtc"),
            (Driver::Has(1), true, None, "CUDA_PATH"),
            (Driver::Has(1), true, nowhere, "/nowhere"),
        ] {
            let refusal = ask(driver, compiler, toolkit).unwrap();
            assert!(refusal.contains(word) && !refusal.contains('\n') && !refusal.ends_with('.'), "{refusal}");
        }
    }

    #[test]
    fn nothing_missing_is_no_refusal() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("include")).unwrap();
        std::fs::write(folder.path().join("include/cuda_runtime.h"), "").unwrap();
        assert_eq!(ask(Driver::Has(1), true, Some(folder.path().into())), None);
    }

    #[test]
    fn asking_never_panics_and_answers_alike() {
        assert_eq!(cuda_refusal(), cuda_refusal());
    }
}
