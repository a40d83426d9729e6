"""The operators that a classifier saved as TorchScript may call: pure functions of tensors, numbers, texts and lists.

Not here, and so refused: whatever reads or writes files, starts threads or processes, asks for devices, changes the state of
the runtime, moves a tensor's storage, or belongs to a class written in C++ (but int8's packed weights).
"""

from __future__ import annotations

_TENSORS = """
    abs abs_ absolute acos acosh adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
    adaptive_max_pool2d add add_ addbmm addcdiv addcdiv_ addcmul addcmul_ addmm addmm_ addmv affine_grid_generator alias
    all allclose alpha_dropout alpha_dropout_ amax amin aminmax any arange argmax argmin argsort asin asinh atan atan2
    atanh avg_pool1d avg_pool2d avg_pool3d baddbmm baddbmm_ batch_norm bernoulli bernoulli_ bilinear bincount bitwise_and
    bitwise_not bitwise_or bitwise_xor bmm broadcast_tensors broadcast_to bucketize cat cdist ceil ceil_ celu celu_
    channel_shuffle chunk clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ clone concat concatenate
    constant_pad_nd contiguous conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d convolution copy_
    cos cos_ cosh cosine_similarity count_nonzero cross cummax cummin cumprod cumsum deg2rad dequantize detach detach_
    diag diagonal diff dim dist div div_ divide divide_ dot dropout dropout_ einsum elu elu_ embedding empty empty_like eq
    eq_ equal erf erf_ exp exp_ expand expand_as expm1 eye feature_alpha_dropout feature_dropout feature_dropout_ fft_fft2
    fft_ifft2 fft_irfft2 fft_rfft2 fill_ flatten flip fliplr flipud floor floor_ floor_divide fmod frac full full_like
    gather ge ge_ gelu gelu_ glu grid_sampler grid_sampler_2d group_norm gru gt gt_ hardshrink hardsigmoid hardsigmoid_
    hardswish hardswish_ hardtanh hardtanh_ histc huber_loss hypot im2col index index_add index_copy index_fill index_put
    index_put_ index_select instance_norm int_repr inverse is_complex is_contiguous is_floating_point is_nonzero
    is_same_size is_signed isclose isfinite isinf isnan item kl_div kthvalue layer_norm le le_ leaky_relu leaky_relu_ lerp
    linalg_norm linalg_vector_norm linear linspace log log10 log1p log2 log_ log_sigmoid log_softmax logaddexp logical_and
    logical_not logical_or logical_xor logit logsumexp lstm lt lt_ masked_fill masked_fill_ masked_scatter masked_select
    matmul max max_pool1d max_pool2d max_pool2d_with_indices max_pool3d maximum mean median meshgrid min minimum mish
    mish_ mm mode moveaxis movedim mse_loss mul mul_ multiply multiply_ mv nan_to_num nan_to_num_ narrow native_batch_norm
    native_channel_shuffle native_group_norm native_layer_norm ne ne_ neg neg_ negative new_empty new_full new_ones
    new_zeros nonzero nonzero_numpy norm normal normal_ numel numpy_T one_hot ones ones_like outer pad pairwise_distance
    permute pixel_shuffle pixel_unshuffle pow pow_ prelu prod q_per_channel_axis q_per_channel_scales
    q_per_channel_zero_points q_scale q_zero_point quantile quantize_per_channel quantize_per_tensor
    quantize_per_tensor_dynamic rad2deg rand rand_like randint randn randn_like ravel reciprocal reciprocal_
    reflection_pad1d reflection_pad2d relu relu6 relu6_ relu_ remainder renorm repeat repeat_interleave replication_pad1d
    replication_pad2d reshape reshape_as roll rot90 round round_ rrelu rsqrt rsqrt_ rsub scalar_tensor
    scaled_dot_product_attention scatter scatter_add searchsorted select selu selu_ sgn sigmoid sigmoid_ sign silu silu_
    sin sin_ sinh size slice smooth_l1_loss softmax softplus softshrink sort split split_with_sizes sqrt sqrt_ square
    square_ squeeze squeeze_ stack std std_mean stride sub sub_ subtract sum swapaxes swapdims t take take_along_dim tan
    tanh tanh_ tensor tensor_split tensordot threshold threshold_ tile to topk trace transpose transpose_ tril triu
    true_divide trunc type_as unbind unflatten unfold uniform_ unique_consecutive unsafe_chunk unsafe_split
    unsafe_split_with_sizes unsqueeze unsqueeze_ upsample_bicubic2d upsample_bilinear2d upsample_linear1d
    upsample_nearest1d upsample_nearest2d var var_mean vdot view view_as vstack hstack dstack where xlogy zero_ zeros
    zeros_like _adaptive_avg_pool2d _batch_norm_impl_index _convolution _cast_Float _log_softmax _native_batch_norm_legit
    _native_batch_norm_legit_no_training _native_multi_head_attention _pad_circular _pad_enum _shape_as_tensor _softmax
    _transformer_encoder_layer_fwd _unique2 _unsafe_view _upsample_lanczos2d_aa _upsample_nearest_exact1d
    _upsample_nearest_exact2d _upsample_nearest_exact3d upsample_nearest3d upsample_trilinear3d _upsample_bicubic2d_aa
    _upsample_bilinear2d_aa _weight_norm _weight_norm_interface
    """

_PLAIN_VALUES = """
    Bool Complex Float Int Size FloatImplicit IntImplicit ScalarImplicit Delete __and__ __contains__ __derive_index
    __getitem__ __is__ __isnot__ __iand__ __interpolate __ior__ __ixor__ __lshift__ __not__ __or__ __range_length
    __round_to_zero_floordiv __rshift__ __xor__ _set_item _size_if_not_equal _get_tracing_state _no_grad_fill_
    _no_grad_normal_ _no_grad_uniform_ _no_grad_zero_ _infer_size append ceil chr clear copy count dict divmod endswith
    extend fabs factorial find floor floordiv format gcd get hash index insert items join keys len list log lower lstrip
    mathremainder ord pop popitem pow partition percentFormat remove replace reverse rstrip setdefault sorted splitlines
    startswith str strip title update upper values copysign degrees radians expandtabs is_autocast_enabled
    is_autocast_cpu_enabled is_grad_enabled is_scripting has_torch_function requires_grad_ warn ldexp modf frexp isdigit
    isalpha isspace range len_ device get_device
    """

ATEN = frozenset((_TENSORS + _PLAIN_VALUES).split())
"""Names behind `aten::` (in the file's code: `torch.`)."""

PRIM = frozenset(
    """
    abs device dtype is_cpu is_cuda is_ipu is_maia is_meta is_mkldnn is_mps is_mtia is_nested is_quantized is_sparse
    is_sparse_csr is_vulkan is_xla is_xpu itemsize layout max min name nbytes data requires_grad tolist type
    unchecked_cast unchecked_unwrap_optional NumToTensor RaiseException Print TupleIndex TupleUnpack StringIndex EnumName
    EnumValue IfThenElse ModuleContainerIndex Uninitialized rangelist index If Loop Constant ListConstruct ListUnpack
    TupleConstruct TupleSlice DictConstruct CreateObject GetAttr SetAttr CallMethod CallFunction Return Param isinstance
    TypeCheck ConstantChunk
    """.split()
)
"""Names behind `prim::` (in the file's code: `ops.prim.`)."""

QUANTIZED = frozenset(
    """
    add add_out add_relu add_relu_out add_scalar add_scalar_relu batch_norm batch_norm1d batch_norm2d batch_norm2d_relu
    batch_norm_relu cat cat_relu celu conv1d conv1d_prepack conv1d_relu conv1d_unpack conv2d conv2d_add conv2d_add_relu
    conv2d_dynamic conv2d_prepack conv2d_relu conv2d_unpack conv3d conv3d_prepack conv3d_relu conv3d_unpack conv_prepack
    conv_unpack dropout elu hardswish hardtanh instance_norm group_norm layer_norm leaky_relu linear linear_dynamic
    linear_dynamic_fp16 linear_prepack linear_prepack_fp16 linear_relu linear_relu_dynamic linear_unpack
    linear_unpack_fp16 matmul mul mul_out mul_relu mul_relu_out mul_scalar mul_scalar_relu prelu relu6 sigmoid softmax
    """.split()
)
"""Names behind `quantized::` (in the file's code: `ops.quantized.`)."""

NAMESPACES = {"aten": ATEN, "prim": PRIM, "quantized": QUANTIZED}

CLASSES = frozenset({
    f"__torch__.torch.classes.quantized.{name}PackedParamsBase" for name in ("Conv2d", "Conv3d", "Linear")
})  # fmt: skip
"""Classes written in C++ whose objects a file may hold: int8's packed weights."""

BUILTINS = frozenset(
    """
    AssertionError CONSTANTS False None True __torch__ abs all annotate any bool chr complex dict divmod enumerate float
    getattr hasattr hash inf int isinstance len list max min nan ops ord pow print range round self sorted str sum torch
    tuple unchecked_cast uninitialized zip __annotations__ Any Bool BroadcastingList1 BroadcastingList2 BroadcastingList3
    Device Dict Enum Final Float Int Interface List Module Named NamedTuple NoneType Number Optional Scalar Tensor Tuple
    Union dtype number object t
    """.split()
)
"""Free names that a file's code may use: functions of the language, and types."""


def allowed(operator: str) -> bool:
    """Whether a file may call an operator, named as `aten::conv2d`."""
    namespace, _, name = operator.partition("::")
    return name.partition(".")[0] in NAMESPACES.get(namespace, ())
