//! One texture a board.

use std::collections::BTreeMap;

use bevy::asset::RenderAssetUsages;
use bevy::image::ImageSampler;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use bevy_egui::{EguiContexts, EguiTextureHandle, egui};

use crate::scene::{Ground, Panel, Raster};
use crate::session::{Board, Session};

/// The boards of the last frame in which something changed, and their textures.
#[derive(Default)]
pub struct Textures {
    /// The boards, in order.
    pub boards: Vec<Board>,
    revision: Option<u64>,
    textures: BTreeMap<&'static str, (Handle<Image>, egui::TextureId)>,
}

impl Textures {
    /// Draws the boards anew if something has changed.
    pub fn update(&mut self, session: &mut Session, contexts: &mut EguiContexts, images: &mut Assets<Image>) {
        if self.revision == Some(session.revision()) {
            return;
        }
        self.revision = Some(session.revision());
        let before = std::mem::replace(&mut self.boards, session.boards());
        for board in self.boards.iter().filter(|board| board.panel.ground != Ground::Table) {
            if let Ok(raster) = &board.drawing.raster {
                let same = |other: &&Board| other.panel == board.panel && other.drawing.raster.as_ref() == Ok(raster);
                if before.iter().any(|other| same(&other)) && self.textures.contains_key(board.panel.name) {
                    continue;
                }
                self.textures.entry(board.panel.name).or_insert_with(|| {
                    let handle = images.add(Image::default());
                    (handle.clone(), contexts.add_image(EguiTextureHandle::Strong(handle)))
                });
                if let Some(mut image) = self.textures.get(board.panel.name).and_then(|(h, _)| images.get_mut(h)) {
                    *image = texture(raster);
                }
            }
        }
    }

    /// The texture of a board; of its last picture while the next is awaited.
    pub fn get(&self, panel: &Panel) -> Option<egui::TextureId> {
        self.textures.get(panel.name).map(|(_, id)| *id)
    }
}

/// Makes a picture into an image whose pixels stay sharp however close one looks.
fn texture(raster: &Raster) -> Image {
    let mut image = Image::new(
        Extent3d { width: raster.width.max(1), height: raster.height.max(1), depth_or_array_layers: 1 },
        TextureDimension::D2,
        raster.bytes.clone(),
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::MAIN_WORLD | RenderAssetUsages::RENDER_WORLD,
    );
    image.sampler = ImageSampler::nearest();
    image
}
