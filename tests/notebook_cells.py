"""The code cells of the course's notebook 4 as a script: magics dropped, import lines changed, everything else as it was.

The three functions that a cell defines are imported again after it, because the cell's `compare_model_outputs` calls
`.item()` on the bool of `torch.equal` and stops there.
"""

# %%
# Make sure that libraries are dynamically re-loaded if changed

# %%
# Import necessary libraries
import copy
import os
import json
import time
import numpy as np
import pandas as pd
import pprint
import random
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
from torch.utils.data import DataLoader
import torch.quantization
from typing import Dict, Any, List, Tuple, Optional, Union, Callable
import warnings

from udacisense.notebook import get_household_loaders, get_input_size, print_dataloader_stats, visualize_batch
from udacisense.notebook import MobileNetV3_Household, load_model, save_model, print_model_summary, get_model_size
from udacisense.notebook import evaluate_accuracy, measure_inference_time
from udacisense.notebook import is_quantized, calculate_sparsity
from torchvision import datasets, transforms

# %%
# Ignore PyTorch deprecation warnings
import warnings
warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
warnings.filterwarnings("ignore", category=UserWarning)  # Optional: Ignore all user warnings

# %%
# Check if CUDA is available
devices = ["cpu"]
if torch.cuda.is_available():
    num_devices = torch.cuda.device_count()
    devices.extend([f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(num_devices)])
print(f"Devices available: {devices}")

# %%
# Setup directories
os.makedirs("../models/mobile", exist_ok=True)
os.makedirs("../results/mobile", exist_ok=True)

# %%
# Set random seed for reproducibility
def set_deterministic_mode(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    os.environ["PYTHONHASHSEED"] = str(seed)

    def seed_worker(worker_id):
        worker_seed = seed + worker_id
        np.random.seed(worker_seed)
        random.seed(worker_seed)

    return seed_worker

set_deterministic_mode(42)
g = torch.Generator()
g.manual_seed(42)

# %%
# Load household objects dataset - using IMAGENET size for MobileNetV3 compatibility
train_loader, test_loader = get_household_loaders(
    image_size="IMAGENET", batch_size=32, num_workers=2,  # Reduced batch size for mobile compatibility testing
)

# Get input_size for IMAGENET (224x224)
input_size = get_input_size("IMAGENET")
print(f"Input has size: {input_size}")

# Get class names
class_names = train_loader.dataset.classes
print(f"Datasets have these classes: ")
for i in range(len(class_names)):
    print(f"  {i}: {class_names[i]}")

print(f"\n📊 Dataset Summary:")
print_dataloader_stats(test_loader, "Test set")
visualize_batch(test_loader, num_images=6)

# %%
# Load the optimized model from our pipeline results
optimized_model_path = "../models/pipeline_03/final_compressed_model.pth"

print("📱 MOBILE DEPLOYMENT PREPARATION")
print("="*50)
print(f"Loading optimized model from: {optimized_model_path}")

# Check if the model exists
if not os.path.exists(optimized_model_path):
    print("❌ Optimized model not found!")
    print("Please run notebook 03_pipeline.ipynb first to generate the optimized model.")
else:
    print("✅ Optimized model found!")

# %%
# Load the optimized model and its metrics
try:
    optimized_model = load_model(
        optimized_model_path,
        model_class=MobileNetV3_Household,
        num_classes=10
    )
    print("✅ Optimized model loaded successfully!")
    print_model_summary(optimized_model)

    # Check if it's quantized
    if is_quantized(optimized_model):
        print("🔢 Model is quantized (INT8)")
    else:
        print("🔢 Model is not quantized (FP32)")

    # Check sparsity
    sparsity = calculate_sparsity(optimized_model)
    print(f"🕸️  Model sparsity: {sparsity:.1f}%")

except Exception as e:
    print(f"❌ Error loading optimized model: {e}")
    print("Loading baseline model as fallback...")
    # Fallback to baseline model
    optimized_model = load_model(
        "../models/baseline_mobilenet/checkpoints/model.pth",
        model_class=MobileNetV3_Household,
        num_classes=10
    )
    optimized_model_path = "../models/baseline_mobilenet/checkpoints/model.pth"

# Load or create metrics
try:
    with open("../models/pipeline_03/pipeline_results.json", "r") as f:
        pipeline_metrics = json.load(f)
    print("\n📊 Pipeline metrics loaded successfully!")
except Exception as e:
    print(f"\n⚠️  Could not load pipeline metrics: {e}")
    pipeline_metrics = None

# %%
# Mobile optimization functions
def convert_model_for_mobile(
    model: nn.Module,
    input_size: Tuple[int, ...] = (1, 3, 224, 224),
    mobile_optimize: bool = True
) -> torch.jit.ScriptModule:
    """
    Convert a PyTorch model to a mobile-friendly TorchScript format.

    Args:
        model: PyTorch model to convert
        input_size: Shape of input tensor for tracing
        mobile_optimize: Whether to apply mobile-specific optimizations
    Returns:
        TorchScript model optimized for mobile deployment
    """
    print("🔄 Converting model to TorchScript...")

    # Set model to evaluation mode
    model.eval()

    # Create dummy input for tracing
    dummy_input = torch.randn(input_size)

    # Trace the model
    try:
        traced_model = torch.jit.trace(model, dummy_input)
        print("  ✅ Model tracing successful")
    except Exception as e:
        print(f"  ❌ Tracing failed: {e}")
        # Try scripting instead
        try:
            traced_model = torch.jit.script(model)
            print("  ✅ Model scripting successful (fallback)")
        except Exception as e2:
            print(f"  ❌ Scripting also failed: {e2}")
            raise

    if mobile_optimize:
        print("🚀 Applying mobile optimizations...")
        try:
            # Apply mobile-specific optimizations
            from torch.utils.mobile_optimizer import optimize_for_mobile
            mobile_model = optimize_for_mobile(traced_model)
            print("  ✅ Mobile optimization successful")
            return mobile_model
        except Exception as e:
            print(f"  ⚠️  Mobile optimization failed: {e}")
            print("  📎 Returning traced model without mobile optimization")
            return traced_model

    return traced_model

def get_mobile_model_size(model_path: str) -> float:
    """Get the size of a saved model file in megabytes."""
    try:
        size_bytes = os.path.getsize(model_path)
        size_mb = size_bytes / (1024 * 1024)
        return size_mb
    except Exception as e:
        print(f"Error getting model size: {e}")
        return 0.0

def compare_model_outputs(
    model1: nn.Module,
    model2: Union[nn.Module, torch.jit.ScriptModule],
    input_tensor: torch.Tensor,
    tolerance: float = 1e-5
) -> Dict[str, Any]:
    """
    Compare outputs of two models to verify consistency after conversion.

    Args:
        model1: Original model
        model2: Converted model (can be TorchScript)
        input_tensor: Input tensor to test with
        tolerance: Numerical tolerance for comparison

    Returns:
        Dictionary with comparison results
    """
    model1.eval()
    model2.eval()

    with torch.no_grad():
        # Get outputs from both models
        output1 = model1(input_tensor)
        output2 = model2(input_tensor)

        # Calculate differences
        max_diff = torch.max(torch.abs(output1 - output2)).item()
        mean_diff = torch.mean(torch.abs(output1 - output2)).item()

        # Check if outputs are close enough
        outputs_match = max_diff < tolerance

        # Get predictions
        pred1 = torch.argmax(output1, dim=1)
        pred2 = torch.argmax(output2, dim=1)
        predictions_match = torch.equal(pred1, pred2)

        results = {
            'outputs_match': outputs_match,
            'predictions_match': predictions_match.item(),
            'max_difference': max_diff,
            'mean_difference': mean_diff,
            'tolerance_used': tolerance
        }

        return results

from udacisense.notebook import compare_model_outputs, convert_model_for_mobile, get_mobile_model_size

# %%
# Convert the optimized model for mobile deployment
print("\n🚀 MOBILE MODEL CONVERSION")
print("="*50)

# Convert the model
mobile_model = convert_model_for_mobile(
    optimized_model,
    input_size=input_size,
    mobile_optimize=True,
)

# Save the mobile model in different formats
mobile_model_path = "../models/mobile/optimized_model_mobile.ptl"
mobile_model_lite_path = "../models/mobile/optimized_model_mobile_lite.ptl"

# Standard mobile model
torch.jit.save(mobile_model, mobile_model_path)
print(f"💾 Standard mobile model saved to: {mobile_model_path}")

# Try to save with lite interpreter for smaller size (if supported)
try:
    mobile_model._save_for_lite_interpreter(mobile_model_lite_path)
    print(f"💾 Lite interpreter model saved to: {mobile_model_lite_path}")
    lite_saved = True
except Exception as e:
    print(f"⚠️  Lite interpreter save failed: {e}")
    lite_saved = False

print("✅ Mobile model conversion complete!")

# %%
# Verify model output consistency
print("\n🔍 MODEL CONSISTENCY VERIFICATION")
print("="*50)

# Create test inputs
dummy_input = torch.randn(input_size)
batch_input = torch.randn(4, 3, 224, 224)  # Test with batch

print("Testing single input...")
consistency_single = compare_model_outputs(optimized_model, mobile_model, dummy_input)

print("Testing batch input...")
consistency_batch = compare_model_outputs(optimized_model, mobile_model, batch_input)

# Display results
print(f"\n📊 CONSISTENCY RESULTS:")
print(f"Single Input:")
print(f"  Outputs match: {'✅' if consistency_single['outputs_match'] else '❌'}")
print(f"  Predictions match: {'✅' if consistency_single['predictions_match'] else '❌'}")
print(f"  Max difference: {consistency_single['max_difference']:.2e}")
print(f"  Mean difference: {consistency_single['mean_difference']:.2e}")

print(f"\nBatch Input:")
print(f"  Outputs match: {'✅' if consistency_batch['outputs_match'] else '❌'}")
print(f"  Predictions match: {'✅' if consistency_batch['predictions_match'] else '❌'}")
print(f"  Max difference: {consistency_batch['max_difference']:.2e}")
print(f"  Mean difference: {consistency_batch['mean_difference']:.2e}")

# Overall assessment
overall_consistent = (consistency_single['predictions_match'] and
                     consistency_batch['predictions_match'])

print(f"\n🎯 OVERALL CONSISTENCY: {'✅ PASSED' if overall_consistent else '❌ FAILED'}")

if not overall_consistent:
    print("⚠️  Models produce different outputs! Check conversion process.")
else:
    print("✅ Mobile model produces consistent outputs with optimized model.")

# %%
# Compare model sizes
print("\n📏 MODEL SIZE COMPARISON")
print("="*50)

# Get optimized model size (PyTorch .pth format)
optimized_size = get_model_size(optimized_model)

# Get mobile model sizes
mobile_size = get_mobile_model_size(mobile_model_path)
if lite_saved:
    lite_size = get_mobile_model_size(mobile_model_lite_path)

print(f"Model Size Comparison:")
print(f"  Optimized (.pth): {optimized_size:.2f} MB")
print(f"  Mobile (.ptl):    {mobile_size:.2f} MB")
if lite_saved:
    print(f"  Mobile Lite:      {lite_size:.2f} MB")

# Calculate size changes
mobile_change = (mobile_size - optimized_size) / optimized_size * 100
print(f"\nSize Changes:")
print(f"  Optimized → Mobile: {mobile_change:+.1f}%")

if lite_saved:
    lite_change = (lite_size - optimized_size) / optimized_size * 100
    lite_vs_mobile = (lite_size - mobile_size) / mobile_size * 100
    print(f"  Optimized → Lite:   {lite_change:+.1f}%")
    print(f"  Mobile → Lite:      {lite_vs_mobile:+.1f}%")

# Summary
print(f"\n💾 DEPLOYMENT FORMATS:")
if mobile_change < 10:  # Less than 10% increase is acceptable
    print(f"✅ Mobile conversion maintains efficient size")
else:
    print(f"⚠️  Mobile conversion increases size significantly")

if lite_saved:
    if lite_size < mobile_size:
        print(f"✅ Lite interpreter provides additional size savings")
        recommended_format = "Lite Interpreter (.ptl)"
        recommended_size = lite_size
    else:
        recommended_format = "Standard Mobile (.ptl)"
        recommended_size = mobile_size
else:
    recommended_format = "Standard Mobile (.ptl)"
    recommended_size = mobile_size

print(f"\n🎯 RECOMMENDED FORMAT: {recommended_format} ({recommended_size:.2f} MB)")

# %%
# Performance evaluation: Optimized vs Mobile model
print("\n⚡ MOBILE PERFORMANCE EVALUATION")
print("="*60)

device = torch.device('cpu')  # Mobile deployment typically uses CPU

# Evaluate optimized model
print("Evaluating optimized model...")
optimized_accuracy = evaluate_accuracy(optimized_model, test_loader, device)
optimized_timing = measure_inference_time(optimized_model, input_size=(1, 3, 224, 224), num_runs=50, num_warmup=5)

# Evaluate mobile model
print("Evaluating mobile model...")
mobile_accuracy = evaluate_accuracy(mobile_model, test_loader, device)
mobile_timing = measure_inference_time(mobile_model, input_size=(1, 3, 224, 224), num_runs=50, num_warmup=5)

# Create comparison table
comparison_data = {
    'Metric': [
        'Top-1 Accuracy (%)',
        'Model Size (MB)',
        'Inference Time (ms)',
        'Memory Footprint',
        'Format Compatibility'
    ],
    'Optimized Model': [
        f"{optimized_accuracy['top1_acc']:.2f}",
        f"{optimized_size:.2f}",
        f"{optimized_timing['cpu']['avg_time_ms']:.2f}",
        "PyTorch Runtime",
        "Server/Desktop"
    ],
    'Mobile Model': [
        f"{mobile_accuracy['top1_acc']:.2f}",
        f"{recommended_size:.2f}",
        f"{mobile_timing['cpu']['avg_time_ms']:.2f}",
        "TorchScript Runtime",
        "Mobile/Edge Devices"
    ],
    'Change': [
        f"{mobile_accuracy['top1_acc'] - optimized_accuracy['top1_acc']:+.2f}pp",
        f"{mobile_change:+.1f}%",
        f"{(mobile_timing['cpu']['avg_time_ms'] - optimized_timing['cpu']['avg_time_ms']) / optimized_timing['cpu']['avg_time_ms'] * 100:+.1f}%",
        "More Efficient",
        "Cross-Platform"
    ]
}

comparison_df = pd.DataFrame(comparison_data)
print("\n📊 PERFORMANCE COMPARISON:")
print("="*60)
print(comparison_df.to_string(index=False))

# Mobile deployment readiness assessment
print(f"\n🎯 MOBILE DEPLOYMENT READINESS:")
print("="*40)

accuracy_preserved = abs(mobile_accuracy['top1_acc'] - optimized_accuracy['top1_acc']) < 1.0  # Within 1%
size_acceptable = mobile_change < 20  # Less than 20% size increase
inference_reasonable = mobile_timing['cpu']['avg_time_ms'] < 200  # Under 200ms

print(f"✅ Accuracy Preserved: {'Yes' if accuracy_preserved else 'No'} "
      f"(Δ = {mobile_accuracy['top1_acc'] - optimized_accuracy['top1_acc']:+.2f}pp)")
print(f"✅ Size Acceptable: {'Yes' if size_acceptable else 'No'} "
      f"({mobile_change:+.1f}% change)")
print(f"✅ Inference Speed: {'Good' if inference_reasonable else 'Needs optimization'} "
      f"({mobile_timing['cpu']['avg_time_ms']:.1f}ms)")

overall_ready = accuracy_preserved and size_acceptable and inference_reasonable
print(f"\n🚀 OVERALL: {'✅ READY FOR MOBILE DEPLOYMENT' if overall_ready else '⚠️ NEEDS FURTHER OPTIMIZATION'}")

# Save mobile deployment metrics
mobile_deployment_metrics = {
    'mobile_model_path': mobile_model_path,
    'mobile_accuracy': mobile_accuracy,
    'mobile_timing': mobile_timing,
    'mobile_size_mb': recommended_size,
    'consistency_check': overall_consistent,
    'deployment_ready': overall_ready,
    'comparison': comparison_data
}

with open("../models/mobile/mobile_deployment_metrics.json", 'w') as f:
    json.dump(mobile_deployment_metrics, f, indent=2)

print(f"\n💾 Mobile deployment metrics saved to: ../models/mobile/mobile_deployment_metrics.json")

# %%
# Deployment Pipeline Visualization
print("\n📊 DEPLOYMENT PIPELINE SUMMARY")
print("="*60)

# Create deployment pipeline visualization
fig, ((ax1, ax2), (ax3, ax4)) = plt.subplots(2, 2, figsize=(16, 12))

# Pipeline stages
stages = ['Baseline', 'Optimized', 'Mobile']
if pipeline_metrics:
    baseline_acc = pipeline_metrics['stages'][0]['metrics']['accuracy']['top1_acc']
    optimized_acc = pipeline_metrics['stages'][-1]['metrics']['accuracy']['top1_acc']
else:
    baseline_acc = 12.0  # Fallback values
    optimized_acc = 10.0

accuracies = [baseline_acc, optimized_acc, mobile_accuracy['top1_acc']]

baseline_size = 5.96  # From previous analysis
sizes = [baseline_size, optimized_size, recommended_size]

baseline_time = 100.0  # Estimated baseline
inference_times = [baseline_time, optimized_timing['cpu']['avg_time_ms'], mobile_timing['cpu']['avg_time_ms']]

formats = ['PyTorch (.pth)', 'PyTorch (.pth)', 'TorchScript (.ptl)']

# Plot 1: Accuracy progression
bars1 = ax1.bar(stages, accuracies, color=['blue', 'orange', 'green'], alpha=0.8)
ax1.set_title('Model Accuracy Through Deployment Pipeline', fontsize=14, fontweight='bold')
ax1.set_ylabel('Top-1 Accuracy (%)')
for i, (bar, acc) in enumerate(zip(bars1, accuracies)):
    ax1.text(bar.get_x() + bar.get_width()/2, bar.get_height() + 0.2,
             f'{acc:.1f}%', ha='center', va='bottom', fontweight='bold')

# Plot 2: Model size progression
bars2 = ax2.bar(stages, sizes, color=['blue', 'orange', 'green'], alpha=0.8)
ax2.set_title('Model Size Through Deployment Pipeline', fontsize=14, fontweight='bold')
ax2.set_ylabel('Model Size (MB)')
for i, (bar, size) in enumerate(zip(bars2, sizes)):
    ax2.text(bar.get_x() + bar.get_width()/2, bar.get_height() + 0.1,
             f'{size:.2f}', ha='center', va='bottom', fontweight='bold')

# Plot 3: Inference time
bars3 = ax3.bar(stages, inference_times, color=['blue', 'orange', 'green'], alpha=0.8)
ax3.set_title('Inference Time Through Deployment Pipeline', fontsize=14, fontweight='bold')
ax3.set_ylabel('Inference Time (ms)')
for i, (bar, time) in enumerate(zip(bars3, inference_times)):
    ax3.text(bar.get_x() + bar.get_width()/2, bar.get_height() + 2,
             f'{time:.1f}', ha='center', va='bottom', fontweight='bold')

# Plot 4: Deployment readiness features
features = ['Cross-Platform\nCompatibility', 'Mobile Runtime\nOptimization', 'Size\nEfficiency', 'Accuracy\nPreservation']
readiness = [1, 1, 1, 1]  # All features achieved
colors = ['green'] * 4

bars4 = ax4.bar(features, readiness, color=colors, alpha=0.8)
ax4.set_title('Mobile Deployment Readiness', fontsize=14, fontweight='bold')
ax4.set_ylabel('Feature Achieved')
ax4.set_ylim(0, 1.2)
for i, bar in enumerate(bars4):
    ax4.text(bar.get_x() + bar.get_width()/2, bar.get_height() + 0.05,
             '✅', ha='center', va='bottom', fontsize=16)

plt.tight_layout()
plt.savefig('../models/mobile/deployment_pipeline_summary.png', dpi=300, bbox_inches='tight')
plt.show()

# Final deployment summary table
deployment_summary = {
    'Stage': ['Original', 'Multi-Stage\nCompression', 'Mobile\nConversion'],
    'Format': ['PyTorch Model', 'Compressed PyTorch', 'TorchScript Mobile'],
    'File Extension': ['.pth', '.pth', '.ptl'],
    'Size (MB)': [f'{baseline_size:.2f}', f'{optimized_size:.2f}', f'{recommended_size:.2f}'],
    'Runtime': ['Full PyTorch', 'PyTorch + Quantization', 'PyTorch Mobile'],
    'Deployment Target': ['Server/Desktop', 'Server/Desktop', 'Mobile/Edge'],
    'Status': ['✅ Baseline', '✅ Optimized', '✅ Mobile Ready']
}

summary_df = pd.DataFrame(deployment_summary)
print("\n📋 DEPLOYMENT PIPELINE SUMMARY:")
print("="*60)
print(summary_df.to_string(index=False))

print(f"\n🎯 FINAL DEPLOYMENT PACKAGE:")
print(f"  📱 Mobile Model: {mobile_model_path}")
print(f"  📊 Metrics: ../models/mobile/mobile_deployment_metrics.json")
print(f"  📈 Visualization: ../models/mobile/deployment_pipeline_summary.png")
print(f"  ✅ Ready for mobile app integration!")

print(f"\n🚀 NEXT STEPS:")
print(f"  1. Integrate model into mobile app framework (iOS/Android)")
print(f"  2. Conduct device lab testing across target hardware")
print(f"  3. Implement performance monitoring and analytics")
print(f"  4. Deploy to production with A/B testing framework")
