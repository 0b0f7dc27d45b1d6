"""PyTorch's error messages in plain words: those of the errors page, for the front end to know."""

from __future__ import annotations

import re

# By a pattern of JavaScript's: what the message means, and the repair. {1}, {2}, … are the numbers
# and words that the pattern takes out of the message. What it calls `came`, `needed` and `shape`
# tells the size of the pictures, where the code is there as well.
_MEANINGS = {
    r"mat1 and mat2 shapes cannot be multiplied \((\d+)[x×](?<came>\d+) and (?<needed>\d+)[x×]"
    r"(\d+)\)":
        "{1}×{2} is what came: {1} pictures of {2} numbers each. {3}×{4} is the layer, an "
        "nn.Linear({3}, {4}): it was made for {3} numbers. Either the pictures have another size "
        "than the network was written for, or a layer before this one differs, or {3} is "
        "miscounted.",
    r"size mismatch, m1: \[(\d+) x (?<came>\d+)\], m2: \[(?<needed>\d+) x (\d+)\]":
        "{1}×{2} is what came: {1} pictures of {2} numbers each. {3}×{4} is the layer, an "
        "nn.Linear({3}, {4}): it was made for {3} numbers.",
    r"mat1 dim 1 must match mat2 dim 0|mat1 and mat2 shapes cannot be multiplied$":
        "A linear layer gets another number of features than its in_features. As a rule the "
        "pictures have another size than the network was written for.",
    r"Given (groups|transposed)=\d+, weight of size \[.+?\], expected input\[(?<shape>.+?)\] "
    r"to have (?<needed>\d+) channels, but got (?<came>\d+) channels instead":
        "The convolution has in_channels={3} (grey pictures have 1 channel, colour pictures 3), "
        "and {4} came, in the shape ({2}). If {4} is the width or height of your pictures, their "
        "channels come last: images.permute(0, 3, 1, 2).",
    r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d, but got input of size: "
    r"\[(.*?)\]":
        "A convolution takes one picture (C, H, W) or a batch (N, C, H, W); ({1}) came. Missing "
        "axes are added by unsqueeze or [None]; features that are flat already cannot go back.",
    r"Expected 4-dimensional input for 4-dimensional weight (\[.+?\]), but got (\d)-dimensional "
    r"input of size \[(.+?)\]":
        "A convolution takes a batch of pictures (N, C, H, W), and ({3}) came. One picture becomes "
        "a batch by image.unsqueeze(0); features that are flat cannot go back.",
    r"Calculated padded input size per channel: \((.+?)\)\. Kernel size: \((.+?)\)\. "
    r"Kernel size can't be greater than actual input size":
        "The maps have shrunk to {1}, padding included, and the kernel is {2}. Larger pictures, "
        "a padding, or one pooling less in front of this layer.",
    r"Given input size: \((.+?)\)\. Calculated output size: \((.+?)\)\. Output size is too small":
        "The maps that reach this pooling are {1} (channels, height, width), and nothing would be "
        "left of them: {2}. Larger pictures, or one pooling less.",
    r"shape '\[(.*?)\]' is invalid for input of size (\d+)":
        "view and reshape regroup numbers: {2} of them do not divide into the shape ({1}). "
        "torch.flatten(x, 1) keeps the batch axis; the next layer's in_features has to follow.",
    r"size '\[(.*?)\]' is invalid for input with (\d+) elements":
        "view and reshape regroup numbers: {2} of them do not divide into the shape ({1}). "
        "torch.flatten(x, 1) keeps the batch axis; the next layer's in_features has to follow.",
    r"Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)":
        "{2} labels, but {1} rows of scores. As a rule a view(-1, …) has regrouped the pictures: "
        "torch.flatten(x, 1) keeps them apart.",
    r"multi-target not supported":
        "The labels have one axis too many, as a rule (N, 1): labels.squeeze(1).",
    r"Using a target size \((.+)\) that is different to the input size \((.+)\)":
        "The loss stretches {2} and {1} to one size and compares everything with everything. "
        "Give both the same shape: predictions.squeeze(1).",
    r"Target size \(torch.Size\(\[(.+)\]\)\) must be the same as input size "
    r"\(torch.Size\(\[(.+)\]\)\)":
        "The loss compares number by number: labels ({1}), scores ({2}). scores.squeeze(1) or "
        "labels.unsqueeze(1) makes them alike, labels.float() where they are whole numbers.",
    r"output with shape \[(.+)\] doesn't match the broadcast shape \[(.+)\]":
        "Something of shape ({2}) was to be put into ({1}). As a rule Normalize has three means "
        "and the pictures one channel: Normalize((0.5,), (0.5,)).",
    r"Dimension out of range \(expected to be in range of \[(.+)\], but got (-?\d+)\)":
        "Axis {2} was asked for, and there are only those in [{1}]. As a rule the batch axis is "
        "missing (unsqueeze(0)), or the scores were flattened or squeezed.",
    r"(?:too many|not enough) values to unpack \((.+)\)":
        "There are more or fewer values than names on the left of the = or behind for ({1}). A "
        "loader gives images, labels; an LSTM gives outputs, (state, cell).",
    r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton "
    r"dimension (\d+)":
        "Two tensors meet in +, *, == or the like. Along axis {3} one has {1} and the other {2}, "
        "and neither is 1. Print both shapes; an axis put in by [:, None] often settles it.",
    r"Sizes of tensors must match except in dimension (\d+)\. Expected size (\d+) but got size "
    r"(\d+)":
        "torch.cat joins along axis {1}, and along another axis one tensor has {2} and one {3}. "
        "Between maps, a padding is missing in one of the branches.",
    r"Sizes of tensors must match except in dimension (\d+)\. Got (\d+) and (\d+) in dimension "
    r"(\d+)":
        "torch.cat joins along axis {1}, and along axis {4} one tensor has {2} and one {3}. "
        "Between maps, a padding is missing in one of the branches.",
    r"view size is not compatible with input tensor's size and stride":
        "view needs the numbers in order in memory, and permute or transpose changed the order of "
        "the axes only. reshape or torch.flatten copy where they must.",
    r"running_mean should contain (\d+) elements not (\d+)":
        "The batch norm layer was made for {2} channels, and {1} came: nn.BatchNorm2d({1}), the "
        "out_channels of the convolution before it.",
    r"expected (.+) input \(got (.+) input\)":
        "A normalisation takes {1}, and {2} came: BatchNorm2d is for maps (N, C, H, W), "
        "BatchNorm1d for features (N, F) and sequences (N, C, L).",
    r"input\.size\(-1\) must be equal to input_size\. Expected (\d+), got (\d+)":
        "The recurrent layer was made for {1} features in the last axis, and {2} came. It takes "
        "(steps, N, features), or (N, steps, features) with batch_first=True.",
    r"Expected hidden\[0\] size \((.+?)\), got \[(.+?)\]":
        "The state has the shape ({2}), and ({1}) is needed: (layers, N, hidden), with "
        "batch_first=True as well.",
    r"(\w+)\(\): argument '(\w+)' \(position \d+\) must be Tensor, not tuple":
        "{1} got a pair. LSTM and GRU return one: outputs, _ = lstm(x).",
    r"(\w+)\(\): argument '(\w+)' \(position \d+\) must be Tensor, not NoneType":
        "{1} got nothing: the forward of a block before it has no return.",
    r"Expected more than 1 value per channel when training, got input size (.+)":
        "Batch normalisation computes a spread over the batch, and a batch of one has none: "
        "model.eval() for trying out, drop_last=True for training.",
    r"Input type \((.+?)\) and (?:bias|weight) type \((.+?)\) should be the same":
        "The pictures are {1}, the weights {2}. Bytes: images.float() / 255. Double, from NumPy: "
        "images.float(). On different devices: images.to(device).",
    r"mat1 and mat2 must have the same dtype, but got (\w+) and (\w+)":
        "The numbers are {1}, the weights {2}: features.float(). Half and BFloat16 come out of "
        "an autocast block: keep the layer inside it.",
    r"expected target dtype to be Long or Byte, but got (\w+)":
        "cross_entropy takes class numbers of type int64, called Long; {1} came: labels.long().",
    r"expected scalar type (\w+) but found (\w+)":
        "{1} is needed and {2} came. Labels: labels.long(). Pictures: images.float().",
    r"[Ee]xpected object of (?:scalar )?type (?:torch\.)?(\w+) but (?:got scalar|found) type "
    r"(?:torch\.)?(\w+)":
        "{1} is needed and {2} came. Labels: labels.long(). Pictures: images.float().",
    r"Found dtype (\w+) but expected (\w+)":
        "{2} is needed and {1} came, as a rule from NumPy: .float() on it before the loss.",
    r"Target (-?\d+) is out of bounds":
        "A label is {1}, and there are too few scores for it. Labels count from 0; ten scores are "
        "for 0 to 9. The labels count from 1, or the last layer has too few outputs.",
    r"element 0 of tensors does not require grad and does not have a grad_fn":
        "backward has nothing to go back through: the loss was computed inside no_grad, from a "
        "detached tensor, or through argmax.",
    r"grad can be implicitly created only for scalar outputs":
        "backward starts from one number, and the loss is many: loss.mean() or loss.sum() first.",
    r"Trying to backward through the graph a second time":
        "The loss contains something of an earlier step: a sum of losses (add loss.item()), or a "
        "hidden state (state.detach()).",
    r"one of the variables needed for gradient computation has been modified by an inplace "
    r"operation":
        "A value that backward needs was overwritten (x += 1, x[0] = 0, relu_): x = x + 1.",
    r"a leaf Variable that requires grad is being used in an in-place operation":
        "A weight was changed by hand while PyTorch was recording: do it with torch.no_grad().",
    r"Can't call numpy\(\) on Tensor that requires grad":
        "NumPy knows nothing of gradients: tensor.detach().cpu().numpy().",
    r"Error\(s\) in loading state_dict|(?:Missing|Unexpected) key\(s\) in state_dict":
        "The file holds the weights of another network, or of this one with layers named or sized "
        "otherwise. Compare the names: model.state_dict().keys().",
    r"Weights only load failed":
        "The file holds more than weights, for example a whole network, and opening it could run "
        "code. Save and load model.state_dict().",
    r"stack expects each tensor to be equal size, but got \[(.+?)\] at entry \d+ and \[(.+?)\]":
        "A DataLoader stacks samples, and two of them are ({1}) and ({2}): "
        "transforms.Resize((28, 28)) in the dataset.",
    r"batch must contain tensors, numpy arrays, numbers, dicts or lists; found (.+)":
        "The dataset hands out {1}, which no batch can hold: transform=ToTensor().",
    r"DataLoader worker \(pid.*?\) (?:exited unexpectedly|is killed)":
        "A worker was ended, as a rule for want of memory, or could not start: num_workers=0 "
        "shows the real error.",
    r"cannot assign (?:module|parameters?) before Module\.__init__\(\) call":
        "super().__init__() is missing from __init__, or comes after the first layer.",
    r"Module \[(\w+)\] is missing the required \"forward\" function":
        "{1} has no forward: it is missing, misspelt, or indented into __init__.",
    r"optimizer got an empty parameter list":
        "The layers stand in a plain list, where the network does not find them: nn.ModuleList or "
        "nn.Sequential.",
    r"Torch not compiled with CUDA enabled":
        "This PyTorch was built for CPUs. Install it by the command that pytorch.org gives for "
        "your GPU, or use the CPU.",
    r"Found no NVIDIA driver on your system":
        "There is no GPU, or no driver for it. In Colab: Runtime → Change runtime type.",
    r"Expected all tensors to be on the same device":
        "The network is on one device and the batch on another: model.to(device), and "
        "images = images.to(device).",
    r"CUDA out of memory":
        "What is kept for backward takes the room: a smaller batch, torch.inference_mode() around "
        "evaluation, loss.item() in place of loss when you add losses up.",
    r"(?:CUDA error: )?device-side assert triggered":
        "A label out of range, as a rule, reported late. A run on the CPU shows the place.",
    r"CUBLAS_STATUS_(?:INVALID_VALUE|EXECUTION_FAILED|NOT_INITIALIZED|ALLOC_FAILED)":
        "On a GPU, sizes that do not fit and labels out of range look so. A run on the CPU says "
        "what it is.",
    r"Cannot re-initialize CUDA in forked subprocess":
        "A worker of the DataLoader touches the GPU: let the dataset return CPU tensors, and move "
        "the batch in the training loop.",
}  # fmt: skip


def known() -> list[dict[str, str]]:
    """List the messages; of those that match, the first counts.

    Returns:
        Of each its ``pattern``, its ``meaning``, and the ``opening`` words, by which it is known
        when it was not copied whole; empty where they are too few.
    """
    openings = [re.split(r"[\\(\[^|,:]", pattern)[0].strip() for pattern in _MEANINGS]
    return [
        {"pattern": pattern, "meaning": meaning, "opening": opening if " " in opening else ""}
        for (pattern, meaning), opening in zip(_MEANINGS.items(), openings, strict=True)
    ]
